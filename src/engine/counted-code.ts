import type { TaskSpec } from '../model/task.ts'
import type { CallInfo } from './call-info.ts'
import type { RunContext } from './run-context.ts'

/**
 * Whether what an attempt gave was made by the code that its call was identified with: functions in Python are read when
 * they run, and their files may be edited while a run goes on.
 *
 * C1 it is asked when the attempt has ended, so that an edit before its beginning is seen; once a turn for each task.
 * C2 a result of other code is given, and known by no fingerprint: the next life of the run executes the call again.
 * C3 what acts on the world has happened: it is remembered in any case.
 */
export class CountedCode {
  readonly #run: RunContext
  readonly #warn: (task: TaskSpec, warning: string) => void
  readonly #looked = new Map<TaskSpec, boolean | Promise<boolean>>()
  readonly #warned = new Set<TaskSpec>()

  constructor(run: RunContext, warn: (task: TaskSpec, warning: string) => void) {
    this.#run = run
    this.#warn = warn
  }

  /** Was it made by other code? */
  isOther({ request: { task }, identity }: CallInfo): boolean | Promise<boolean> {
    if (task?.body.kind !== 'python' || task.policy.effect || identity === undefined) return false
    const { code, clock } = this.#run.ports
    const looked = this.#looked.get(task)
    if (looked !== undefined) return looked
    if (this.#looked.size === 0) clock.atRest(() => this.#looked.clear())
    const is = code.isStill(task, identity.code)
    const isOther = is instanceof Promise ? is.then((still) => !still) : !is
    this.#looked.set(task, isOther)
    return isOther
  }

  /** The call is not known by its fingerprint. */
  forget(info: CallInfo): void {
    info.fingerprint = undefined
    info.identity = undefined
    info.cacheable = false
    const { task } = info.request
    if (task === undefined || this.#warned.has(task)) return
    this.#warned.add(task)
    const what = task.body.kind === 'python' ? `${task.body.file}:${task.body.function}` : task.name
    this.#warn(task, `${what} was edited while the run went on: what ended since is executed again by resume`)
  }
}
