import type { Digest } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { CallInfo } from '../calls/call-info.ts'
import type { RunContext } from '../run-context.ts'

/**
 * Whether what an attempt gave was made by the code that its call was identified with: functions in Python are read when
 * they run, and their files may be edited while a run goes on.
 *
 * C1 it is asked when the attempt has ended, so that an edit before its beginning is seen; once a turn for each task.
 * C2 a result of other code is given, and known by no fingerprint: the next life of the run executes the call again.
 * C3 a process notices before each call that what it has loaded has changed, and executes no more. So what it has loaded
 *    is looked at once for each task.
 * C4 what acts on the world has happened: it is remembered in any case.
 */
export class CodeDrift {
  readonly #run: RunContext
  readonly #warn: (task: TaskSpec, warning: string) => void
  readonly #looked = new Map<TaskSpec, boolean | Promise<boolean>>()
  readonly #warned = new Set<TaskSpec>()
  /** what was found to be the code of a task, by what a process has loaded */
  readonly #known = new WeakMap<object, WeakMap<TaskSpec, string>>()

  constructor(run: RunContext, warn: (task: TaskSpec, warning: string) => void) {
    this.#run = run
    this.#warn = warn
  }

  /** Was it made by other code? `loaded`: what its process had loaded. */
  isOther({ request: { task }, identity }: CallInfo, loaded?: object): boolean | Promise<boolean> {
    if (task?.body.kind !== 'python' || task.policy.effect || identity === undefined) return false
    if (loaded !== undefined && this.#known.get(loaded)?.get(task) === identity.code) return false
    const isOther = this.#look(task, identity.code)
    if (loaded === undefined) return isOther
    if (isOther === false) this.#is(loaded, task, identity.code)
    else if (isOther !== true) void isOther.then((other) => !other && this.#is(loaded, task, identity.code))
    return isOther
  }

  #is(loaded: object, task: TaskSpec, digest: string): void {
    const known = this.#known.get(loaded)
    if (known === undefined) this.#known.set(loaded, new WeakMap([[task, digest]]))
    else known.set(task, digest)
  }

  #look(task: TaskSpec, digest: Digest): boolean | Promise<boolean> {
    const { code, clock } = this.#run.ports
    const looked = this.#looked.get(task)
    if (looked !== undefined) return looked
    if (this.#looked.size === 0) clock.atRest(() => this.#looked.clear())
    const is = code.isStill(task, digest)
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
