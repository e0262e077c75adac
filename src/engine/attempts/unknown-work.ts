import type { RunContext } from '../run-context.ts'
import type { UnknownWork } from '../settings.ts'

/**
 * What a dry run cannot tell when it has come as far as it can: calls that wait for results which would have to be
 * made, and what the workflow's functions do once they have been given those that they await.
 */
export function unknownWork({ machine, calls }: RunContext, awaited: Iterable<number>): UnknownWork {
  const { graph } = machine
  const causes = new Map<number, ReadonlySet<string>>()
  /** tasks that would be executed, and on whose results an unfinished call depends */
  const causesOf = (id: number): ReadonlySet<string> => {
    const known = causes.get(id)
    if (known !== undefined) return known
    const call = graph.call(id)
    const found = new Set<string>()
    causes.set(id, found)
    if (call.end !== undefined) return found
    if (call.phase !== 'inputs') found.add(calls.request(id).name)
    else for (const input of call.inputs) for (const cause of causesOf(input)) found.add(cause)
    return found
  }
  // inputs come before those that take them, so that no chain is followed deeper than one step
  const unknown = [...graph.calls].flatMap((call) => {
    const until = [...causesOf(call.id)]
    const { name, kind } = calls.request(call.id)
    const isWork = kind === 'task' || kind === 'map' || kind === 'entry'
    return call.phase === 'inputs' && isWork ? [{ call: call.id, name, until }] : []
  })
  const until = new Set<string>()
  for (const id of awaited) for (const cause of causesOf(id)) until.add(cause)
  return { calls: unknown, until: [...until] }
}
