import type { RunMachine } from '../../core/run/machine.ts'
import { decode } from '../../model/codec.ts'
import type { Value } from '../../model/value.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { CallRow } from '../../ports/journal.ts'
import { type CallInfo, callInfo } from './call-info.ts'
import type { CallTable } from './call-table.ts'
import type { Outcomes } from './outcomes.ts'
import { resolve } from './views.ts'

/** A call, and what it is given; `missing`: the task of an input that has not succeeded. */
export interface KnownCall {
  readonly info: CallInfo
  readonly args?: Value
  readonly missing?: string
}

/** What is known of a run's calls. */
interface Run {
  readonly machine: RunMachine
  readonly calls: CallTable
  readonly outcomes: Outcomes
}

/** A call as it is known by now: with its arguments, where all of its inputs have succeeded. */
export function knownCall(run: Run, row: CallRow): KnownCall | undefined {
  const { machine, calls, outcomes } = run
  const request = calls.has(row.call) ? calls.request(row.call) : entryRequest(run, row)
  if (request === undefined) return undefined
  const info = calls.find(row.call) ?? infoOf(row, request)
  const { graph } = machine
  const missing = graph.calls.find(row.call)?.inputs.find((id) => graph.call(id).end?.state !== 'succeeded')
  if (missing !== undefined) return { info, missing: calls.request(missing).name }
  return { info, args: resolve(info.args, { outcomes, request: calls.request }) }
}

/** What only the journal has in full by now. */
function infoOf({ call, key, caller, argsWire, at }: CallRow, request: CallRequest): CallInfo {
  const args = decode(argsWire)
  return callInfo({
    id: call,
    key,
    caller,
    path: caller,
    request,
    args,
    isPlain: false,
    own: undefined,
    madeAt: at,
  })
}

/** What is called for an entry of a map that was remembered as a whole: no call of this life. */
function entryRequest(run: Run, row: CallRow): CallRequest | undefined {
  if (row.call_kind !== 'entry') return undefined
  for (const map of run.calls)
    if (map.request.kind === 'map' && map.path === row.caller) return { ...map.request, kind: 'entry' }
  return undefined
}
