import { decode } from '../model/codec.ts'
import type { Value } from '../model/value.ts'
import type { CallRequest } from '../ports/caller.ts'
import type { CallRow } from '../ports/journal.ts'
import type { CallInfo } from './call-info.ts'
import type { RunContext } from './run-context.ts'
import { resolve } from './views.ts'

/** A call, and what it is given; `missing`: the task of an input that has not succeeded. */
export interface KnownCall {
  readonly info: CallInfo
  readonly args?: Value
  readonly missing?: string
}

/** A call as it is known by now: with its arguments, where all of its inputs have succeeded. */
export function knownCall(run: RunContext, row: CallRow): KnownCall | undefined {
  const { machine, calls, outcomes } = run
  const info = calls.find(row.call) ?? entryOf(run, row)
  if (info === undefined) return undefined
  const { graph } = machine
  const missing = graph.calls[row.call]?.inputs.find((id) => graph.call(id).end?.state !== 'succeeded')
  if (missing !== undefined) return { info, missing: calls.get(missing).request.name }
  return { info, args: resolve(info.args, { outcomes, info: (id) => calls.get(id) }) }
}

/** An entry of a map that was remembered as a whole: no call of this life. */
function entryOf(run: RunContext, row: CallRow): CallInfo | undefined {
  if (row.call_kind !== 'entry') return undefined
  for (const map of run.calls) {
    if (map.request.kind !== 'map' || map.path !== row.caller) continue
    const { key, caller, at: madeAt } = row
    const request: CallRequest = { ...map.request, kind: 'entry' }
    return { ...map, id: row.call, key, caller, madeAt, request, args: decode(row.argsWire) }
  }
  return undefined
}
