import type { AskRecord, Note, RunRecord } from '../../model/records.ts'
import type { CallRow } from '../runs/calls.ts'
import type { RunStatus } from './run-status.ts'

/**
 * Records as objects for programs: values as they are in JSON (files and other references as objects with a `$` that
 * names their kind), not as texts of the journal.
 */

const parsed = (wire: string | undefined): unknown =>
  wire === undefined ? undefined : (JSON.parse(wire) as unknown)

export function runObject(run: RunRecord, { state, process, next }: RunStatus): object {
  const { inputWire, outputWire, optionsWire: _, host: __, pid: ___, bootId: ____, ...rest } = run
  return {
    kind: 'run',
    ...rest,
    state,
    process: process ?? null,
    next: next ?? null,
    input: parsed(inputWire),
    ...(outputWire !== undefined && { output: parsed(outputWire) }),
  }
}

export function callObject({ argsWire, call_kind, outcome, ...rest }: CallRow): object {
  return { kind: 'call', ...rest, type: call_kind, input: parsed(argsWire), outcome: outcomeObject(outcome) }
}

export const askObject = ({ schemaWire, showWire, ...rest }: AskRecord): object => ({
  ...rest,
  schema: parsed(schemaWire),
  show: parsed(showWire),
})

export const noteObject = ({ bodyWire, ...rest }: Note): object => ({ ...rest, body: parsed(bodyWire) })

export function outcomeObject(outcome: CallRow['outcome']): object | null {
  if (outcome === undefined) return null
  const { valueWire, ...rest } = outcome
  return { ...rest, ...(valueWire !== undefined && { output: parsed(valueWire) }) }
}
