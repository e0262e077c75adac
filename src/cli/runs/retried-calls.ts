import type { Workbench } from '../../workbench.ts'
import { allCalls, namedCalls } from './calls.ts'

/**
 * The calls that are run again where a person names some: those, what was skipped or cancelled, and with `after` all that
 * were made after the first of them. @throws ALM_CALL_UNKNOWN
 */
export async function retriedCalls(
  almanac: Pick<Workbench, 'records'>,
  run: string,
  named: string,
  after: boolean,
): Promise<number[]> {
  const [first] = await namedCalls(almanac, run, named, 1)
  const from = first?.call ?? 0
  const isNamed = /^\d+$/.test(named)
    ? (call: { readonly call: number }) => call.call === from
    : (call: { readonly name: string }) => call.name === named
  const calls: number[] = []
  for await (const call of allCalls(almanac, run)) {
    const state = call.outcome?.state
    if (isNamed(call) || state === 'skipped' || state === 'cancelled' || (after && call.call > from))
      calls.push(call.call)
  }
  return calls
}
