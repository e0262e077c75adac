import { expect, it } from 'vitest'
import type { Workflow } from '../../src/flow/workflow.ts'
import { World } from '../../src/testing/world.ts'

/**
 * A rule of `docs/identity.md` as a program, an edit, and what the edit costs.
 *
 * The program is run; its process is killed after each possible number of executed calls; the edited program then
 * goes on with the run. What is executed must be: the calls that the rule says run `again`, those that the crash
 * had left undone, and nothing else.
 */
export interface Rule {
  readonly before: Workflow<undefined, unknown>
  /** the same program where nothing is edited */
  readonly after?: Workflow<undefined, unknown>
  /** calls, as `name(arguments)`, that were executed before the crash and are executed again */
  readonly again: readonly string[]
  /** calls of the edited program that the first never made */
  readonly added?: readonly string[]
  readonly gives: unknown
}

export function rule(sentence: string, { before, after = before, again, added = [], gives }: Rule): void {
  it(sentence, async () => {
    const undisturbed = new World()
    await undisturbed.run(before)
    const all = undisturbed.took()
    const edited = new World()
    await edited.run(after)
    const wanted = edited.took()
    for (let done = 0; done <= all.length; done++) {
      const world = new World()
      const handle = await world.start(before)
      await world.crashAfter(handle, done)
      const executed = world.took()
      const result = await world.resume(handle.id, after)
      const label = `killed after ${done} of ${all.length} calls`
      const left = minus(wanted, minus(executed, again))
      expect({ label, state: result.state, output: result.output, executed: world.took().sort() }).toEqual({
        label,
        state: 'succeeded',
        output: gives,
        executed: left.sort(),
      })
      if (done === all.length)
        expect(left.sort()).toEqual([...again.filter((call) => wanted.includes(call)), ...added].sort())
    }
  })
}

/** A bag without the items of another, each once. */
function minus(items: readonly string[], without: readonly string[]): string[] {
  const rest = [...items]
  for (const item of without) {
    const index = rest.indexOf(item)
    if (index >= 0) rest.splice(index, 1)
  }
  return rest
}
