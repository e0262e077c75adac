import type { Window } from '../core/run/slots.ts'
import type { TaskPolicy, TaskSpec } from '../model/task.ts'
import type { Executor } from '../ports/executor.ts'
import type { RunContext } from './run-context.ts'

/**
 * Calls that are submitted before they have a slot, so that no executor waits for the engine between two of them.
 *
 * H1 what is submitted ahead is held back exactly while the run is paused, the journal does not keep up, or a call that
 *    takes held results waits to be identified: what adds to them would go on before consumers that cannot be submitted.
 * H2 calls of a task may be started ahead from the first one that is made on: one that lets held results go would else
 *    stand before the window until all that is in it has ended.
 */
export class Ahead {
  readonly #run: RunContext
  readonly #executorFor: (task: TaskSpec) => Executor | undefined
  /** executors that take calls ahead, with the policies of their tasks */
  readonly #takers = new Map<Executor, Set<TaskPolicy>>()
  /** policies that were looked at */
  readonly #known = new Set<TaskPolicy>()
  /** what the windows were like when they were told last */
  #told = ''
  #isJournalFull = false
  #isHeld = false

  constructor(run: RunContext, executorFor: (task: TaskSpec) => Executor | undefined) {
    this.#run = run
    this.#executorFor = executorFor
  }

  /** Calls of the task may be started ahead from now on, if its executor takes any. */
  expect(task: TaskSpec | undefined): void {
    if (task === undefined || this.#known.has(task.policy)) return
    const executor = this.#executorFor(task)
    if (executor?.ahead === undefined) return
    this.#known.add(task.policy)
    const policies = this.#takers.get(executor)
    if (policies === undefined) this.#takers.set(executor, new Set([task.policy]))
    else policies.add(task.policy)
  }

  /** Asks how many more the executors would have now. */
  look(): void {
    if (this.#takers.size === 0) return
    let like = String(this.#known.size)
    const windows: Window[] = []
    for (const [executor, policies] of this.#takers) {
      const calls = executor.ahead?.() ?? 0
      windows.push({ calls, policies })
      like += ` ${calls}`
    }
    if (like === this.#told) return
    this.#told = like
    this.#run.dispatch({ kind: 'window', windows })
  }

  /** Resolves when the journal keeps up. */
  async journalRoom(): Promise<void> {
    this.#isJournalFull = true
    this.holdOrLetGo()
    await this.#run.recorder.room()
    this.#isJournalFull = false
    this.holdOrLetGo()
  }

  /** To be called whenever something has happened. */
  holdOrLetGo(): void {
    if (this.#takers.size === 0) return
    const { graph } = this.#run.machine
    const held = this.#isJournalFull || graph.slots.paused || graph.freeing > 0
    if (held === this.#isHeld) return
    this.#isHeld = held
    for (const executor of this.#takers.keys()) executor.holdBack?.(this.#run.id, held)
  }
}
