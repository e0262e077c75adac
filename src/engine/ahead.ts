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
  /** executors that take calls ahead, and the policies of their tasks */
  readonly #takers = new Set<Executor>()
  readonly #policies = new Set<TaskPolicy>()
  #window = { calls: 0, kinds: 0 }
  #isJournalFull = false
  #isHeld = false

  constructor(run: RunContext, executorFor: (task: TaskSpec) => Executor | undefined) {
    this.#run = run
    this.#executorFor = executorFor
  }

  /** Calls of the task may be started ahead from now on, if its executor takes any. */
  expect(task: TaskSpec | undefined): void {
    if (task === undefined || this.#policies.has(task.policy)) return
    const executor = this.#executorFor(task)
    if (executor?.ahead === undefined) return
    this.#policies.add(task.policy)
    this.#takers.add(executor)
  }

  /** Asks how many more the executors would have now. */
  look(): void {
    if (this.#takers.size === 0) return
    let calls = 0
    for (const executor of this.#takers) calls = Math.max(calls, executor.ahead?.() ?? 0)
    const { size } = this.#policies
    if (calls === this.#window.calls && size === this.#window.kinds) return
    this.#window = { calls, kinds: size }
    this.#run.dispatch({ kind: 'window', window: { calls, policies: this.#policies } })
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
    for (const executor of this.#takers) executor.holdBack?.(this.#run.id, held)
  }
}
