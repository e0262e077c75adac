import type { TaskPolicy } from '../../model/task.ts'
import { Queue } from '../../util/queue.ts'
import type { Call } from './call.ts'
import type { Calls } from './calls.ts'

/** Calls that may start before there is a slot: the executor of their tasks begins one when another of them ends. */
export interface Window {
  /** how many at once */
  readonly calls: number
  /** which, by the policies of all tasks of one executor: always the same set */
  readonly policies: ReadonlySet<TaskPolicy>
}

/** Calls of one executor's tasks. */
export interface Kind {
  running: number
}

/** Whether calls of a policy may start ahead. */
interface Windowed {
  readonly policy: TaskPolicy
  readonly window: Window | undefined
  readonly kind: Kind | undefined
}

/**
 * Calls that were started before there is a slot. Owns who they are, in which order, and which may be.
 *
 * B1 a call is ahead from `join` until it leaves; `Call.ahead` is its place in the line, 0 where it has none.
 * B2 who left and came again stands at its new place only.
 */
export class CallsAhead {
  readonly #calls: Calls
  /** in the order in which they came; among them those that are ahead no longer */
  readonly #line = new Queue<number>()
  /** how many ever stood there: `Call.ahead` of the last of them */
  #lined = 0
  /** how many are ahead */
  size = 0
  /** those of them that let held inputs go */
  #freeing = 0
  readonly #kinds = new Map<Window['policies'], Kind>()
  #windows: readonly Window[] = []
  /** the window asked for last */
  #recent: Windowed | undefined

  constructor(calls: Calls) {
    this.#calls = calls
  }

  set windows(windows: readonly Window[]) {
    this.#windows = windows
    this.#recent = undefined
  }

  /** Undefined for calls that never start ahead. */
  kindOf(call: Call): Kind | undefined {
    return this.#windowOf(call)?.kind
  }

  /** May it start ahead, while so many calls run on so many processors? */
  mayJoin(call: Call, running: number, cpu: number): boolean {
    const { window, kind } = this.#windowOf(call) ?? noWindow
    if (window === undefined || kind === undefined || kind.running < running) return false
    if (this.size < window.calls) return true
    return call.frees && this.#freeing < Math.min(this.size, Math.max(window.calls, cpu))
  }

  join(call: Call): void {
    this.#line.push(call.id)
    call.ahead = ++this.#lined
    this.size++
    if (call.frees) this.#freeing++
  }

  /** False where it was not ahead. */
  leave(call: Call): boolean {
    if (call.ahead === 0) return false
    call.ahead = 0
    this.size--
    if (call.frees) this.#freeing--
    return true
  }

  /** The first of them leaves, if there is one. */
  shift(): Call | undefined {
    while (!this.#line.isEmpty) {
      const place = this.#lined - this.#line.size + 1
      const first = this.#calls.find(this.#line.shift() as number)
      if (first?.ahead !== place) continue
      this.leave(first)
      return first
    }
    return undefined
  }

  #windowOf({ policy, memoryBytes }: Call): Windowed | undefined {
    if (policy.cpu !== 1 || memoryBytes !== 0 || policy.effect || policy.limits !== undefined)
      return undefined
    // most calls are of the task that the one before them was of
    if (this.#recent?.policy !== policy) this.#recent = this.#findWindow(policy)
    return this.#recent
  }

  #findWindow(policy: TaskPolicy): Windowed {
    const window = this.#windows.find(({ policies }) => policies.has(policy))
    if (window === undefined) return { policy, window, kind: undefined }
    const kind = this.#kinds.get(window.policies) ?? { running: 0 }
    this.#kinds.set(window.policies, kind)
    return { policy, window, kind }
  }
}

const noWindow = { window: undefined, kind: undefined } as const
