import type { Digest } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { CallInfo } from '../calls/call-info.ts'
import type { RunContext } from '../run-context.ts'

/** Why a result is not that of the code that its call was identified with. */
export type Drift = 'edited' | 'unreadable'

/**
 * Whether what an attempt gave was made by the code that its call was identified with: functions in Python are read when
 * they run, and their files may be edited while a run goes on.
 *
 * C1 it is asked when the attempt has ended, so that an edit before its beginning is seen; once a turn for each task.
 * C2 a result of other code is given, and known by no fingerprint: the next life of the run executes the call again. So is
 *    one whose code cannot be read when it ends: nobody knows what it was before.
 * C3 a process notices before each call that what it has loaded has changed, and executes no more. So what it has loaded
 *    is looked at once for each task.
 * C4 what acts on the world has happened: it is remembered in any case.
 */
export class CodeDrift {
  readonly #run: RunContext
  readonly #warn: (task: TaskSpec, warning: string) => void
  readonly #looked = new Map<TaskSpec, Drift | undefined | Promise<Drift | undefined>>()
  readonly #warned = new Set<TaskSpec>()
  /** what was found to be the code of a task, by what a process has loaded */
  readonly #known = new WeakMap<object, WeakMap<TaskSpec, string>>()

  constructor(run: RunContext, warn: (task: TaskSpec, warning: string) => void) {
    this.#run = run
    this.#warn = warn
  }

  /** Was it perhaps made by other code? `loaded`: what its process had loaded. */
  of(
    { request: { task }, identity }: CallInfo,
    loaded?: object,
  ): Drift | undefined | Promise<Drift | undefined> {
    if (task?.body.kind !== 'python' || task.policy.effect || identity === undefined) return undefined
    if (loaded !== undefined && this.#known.get(loaded)?.get(task) === identity.code) return undefined
    const drift = this.#look(task, identity.code)
    if (loaded === undefined) return drift
    const { code } = identity
    if (drift === undefined) this.#is(loaded, task, code)
    else if (drift instanceof Promise) void drift.then((one) => one ?? this.#is(loaded, task, code))
    return drift
  }

  #is(loaded: object, task: TaskSpec, digest: string): void {
    const known = this.#known.get(loaded)
    if (known === undefined) this.#known.set(loaded, new WeakMap([[task, digest]]))
    else known.set(task, digest)
  }

  #look(task: TaskSpec, digest: Digest): Drift | undefined | Promise<Drift | undefined> {
    const { code, clock } = this.#run.ports
    if (this.#looked.has(task)) return this.#looked.get(task)
    if (this.#looked.size === 0) clock.atRest(() => this.#looked.clear())
    const is = code.isStill(task, digest)
    const drift = is instanceof Promise ? is.then(driftOf) : driftOf(is)
    this.#looked.set(task, drift)
    return drift
  }

  /** The call is not known by its fingerprint. */
  forget(info: CallInfo, drift: Drift): void {
    info.drift = drift
    info.fingerprint = undefined
    info.identity = undefined
    info.cacheable = false
    const { task } = info.request
    if (task === undefined || this.#warned.has(task)) return
    this.#warned.add(task)
    const what = task.body.kind === 'python' ? `${task.body.file}:${task.body.function}` : task.name
    this.#warn(
      task,
      drift === 'edited'
        ? `${what} was edited while the run went on: what ended since is executed again by resume`
        : `${what} cannot be read: its file is gone, or is no valid Python. What ends meanwhile is executed again by resume, as its code is not known`,
    )
  }
}

function driftOf(still: boolean | 'unreadable'): Drift | undefined {
  if (still === 'unreadable') return still
  return still ? undefined : 'edited'
}
