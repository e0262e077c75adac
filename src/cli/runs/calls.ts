import { decode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { RunRecord } from '../../model/records.ts'
import { SpilledRef } from '../../model/refs.ts'
import type { Workbench } from '../../workbench.ts'

type CallRow = Awaited<ReturnType<Workbench['records']['calls']>>[number]

/** A run by its id, or the newest one by `last`. @throws ALM_RUN_UNKNOWN, ALM_USAGE */
export async function knownRun(almanac: Workbench, id: string): Promise<RunRecord> {
  const isLast = id === 'last'
  const run = isLast ? (await almanac.records.runs({ limit: 1 }))[0] : await almanac.records.run(id)
  if (run === undefined && isLast)
    throw new AlmanacError('ALM_USAGE', { why: `there are no runs yet in ${almanac.project}` })
  if (run === undefined) throw new AlmanacError('ALM_RUN_UNKNOWN', { run: id })
  return run
}

/** What commands read calls of. */
type Read = Pick<Workbench, 'records'>

/** Calls that a person names by number, or by the task's name. @throws ALM_CALL_UNKNOWN */
export async function namedCalls(
  almanac: Read,
  run: string,
  named: string,
  limit: number,
): Promise<readonly CallRow[]> {
  const query = /^\d+$/.test(named) ? { call: Number(named), limit: 1 } : { name: named, limit }
  const calls = await almanac.records.calls(run, query)
  if (calls.length === 0) throw new AlmanacError('ALM_CALL_UNKNOWN', { run, call: named })
  return calls
}

/** The one call that is meant: of several by that name, the first that failed, else the first; a map last. */
export async function namedCall(almanac: Workbench, run: string, named: string): Promise<CallRow> {
  if (/^\d+$/.test(named)) return (await namedCalls(almanac, run, named, 1))[0] as CallRow
  const failed = await almanac.records.calls(run, { name: named, states: ['failed'], limit: 100 })
  const found = [...failed, ...(await namedCalls(almanac, run, named, 100))]
  return found.find((call) => call.call_kind !== 'map') ?? (found[0] as CallRow)
}

/** All calls of a run, or those of a task, page by page. */
export async function* allCalls(almanac: Read, run: string, name?: string): AsyncIterable<CallRow> {
  for (let after: number | undefined; ; ) {
    const page: readonly CallRow[] = await almanac.records.calls(run, {
      limit: 1000,
      ...(name !== undefined && { name }),
      ...(after !== undefined && { after }),
    })
    yield* page
    after = page.at(-1)?.call
    if (page.length < 1000) return
  }
}

/** What the journal keeps of a value; of a large one what is kept beside it, while it is there. */
export async function wholeWire(almanac: Workbench, wire: string): Promise<string> {
  const value = decode(wire)
  if (!(value instanceof SpilledRef) || !(await almanac.data.available(value))) return wire
  return new TextDecoder().decode(await almanac.data.readFile(value))
}

/** A call with its result, however large. */
export async function wholeCall(almanac: Workbench, call: CallRow): Promise<CallRow> {
  const { outcome } = call
  if (outcome?.valueWire === undefined) return call
  return { ...call, outcome: { ...outcome, valueWire: await wholeWire(almanac, outcome.valueWire) } }
}

/** A run with its output, however large. */
export async function wholeRun(almanac: Workbench, run: RunRecord): Promise<RunRecord> {
  if (run.outputWire === undefined) return run
  return { ...run, outputWire: await wholeWire(almanac, run.outputWire) }
}

export type { CallRow }
