import type { Window } from '../../core/run/calls-ahead.ts'
import type { TaskPolicy, TaskSpec } from '../../model/task.ts'
import type { Executor, Held } from '../../ports/executor.ts'
import type { RunContext } from '../run-context.ts'

/** An executor that takes calls ahead, the policies of its tasks, and how many it would have. */
interface Taker {
  readonly executor: Executor
  readonly policies: Set<TaskPolicy>
  calls: number
}

/**
 * Calls that are submitted before they have a slot, so that no executor waits for the engine between two of them.
 *
 * H1 what has not begun is held back exactly while the run is paused, and what is new while the journal does not keep up,
 *    or a call that takes held results waits to be identified: what adds to them would go on before consumers that
 *    cannot be submitted.
 * H2 calls of a task may be started ahead from the first one that is made on: one that lets held results go would else
 *    stand before the window until all that is in it has ended.
 */
export class EarlySubmission {
  readonly #run: RunContext
  readonly #executorFor: (task: TaskSpec) => Executor | undefined
  readonly #takers: Taker[] = []
  /** policies of all takers */
  readonly #known = new Set<TaskPolicy>()
  /** the windows are not what they were when they were told last */
  #isNew = false
  #isJournalFull = false
  #held: Held = false

  constructor(run: RunContext, executorFor: (task: TaskSpec) => Executor | undefined) {
    this.#run = run
    this.#executorFor = executorFor
  }

  /** Calls of the task may be started ahead from now on, if its executor takes any. */
  expect(task: TaskSpec | undefined): void {
    if (task === undefined || this.#known.has(task.policy)) return
    const executor = this.#executorFor(task)
    if (executor?.ahead !== undefined) this.#takes(executor, task)
  }

  #takes(executor: Executor, task: TaskSpec): void {
    this.#known.add(task.policy)
    this.#isNew = true
    const taker = this.#takers.find((one) => one.executor === executor)
    if (taker === undefined) this.#takers.push({ executor, policies: new Set([task.policy]), calls: 0 })
    else taker.policies.add(task.policy)
    // what starts before its window is known counts as of another kind, which nothing goes ahead of
    this.look()
  }

  /** Asks how many more the executors would have now. */
  look(): void {
    for (const taker of this.#takers) {
      const calls = taker.executor.ahead?.() ?? 0
      if (calls === taker.calls) continue
      taker.calls = calls
      this.#isNew = true
    }
    if (this.#isNew) this.#tell()
  }

  #tell(): void {
    this.#isNew = false
    const windows: Window[] = this.#takers.map(({ calls, policies }) => ({ calls, policies }))
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
    if (this.#takers.length === 0) return
    const { graph } = this.#run.machine
    const held = graph.slots.paused ? 'all' : (this.#isJournalFull || graph.freeing > 0) && 'new'
    if (held === this.#held) return
    this.#held = held
    for (const { executor } of this.#takers) executor.holdBack?.(this.#run.id, held)
  }
}
