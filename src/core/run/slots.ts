import type { TaskPolicy } from '../../model/task.ts'
import { ChurnMap } from '../../util/churn-map.ts'
import { Queue } from '../../util/queue.ts'
import { Admissions, type Admitted, type DoorChange } from './admissions.ts'
import type { Blocker, Call } from './call.ts'
import type { Calls } from './calls.ts'
import { isBetter, ReadyQueue } from './ready-queue.ts'

/** What may run at once. */
export interface Capacity {
  readonly cpu: number
  readonly memoryBytes: number
}

/** Calls that may start before there is a slot: the executor of their tasks begins one when another of them ends. */
export interface Window {
  /** how many at once */
  readonly calls: number
  /** which, by the policies of all tasks of one executor: always the same set */
  readonly policies: ReadonlySet<TaskPolicy>
}

/** Calls of one executor's tasks. */
interface Kind {
  running: number
}

/** What a running call took, and which kind of call it was then. */
interface Taken {
  cpu: number
  memoryBytes: number
  readonly kind: Kind | undefined
}

/** Whether calls of a policy may start ahead. */
interface Windowed {
  readonly policy: TaskPolicy
  readonly window: Window | undefined
  readonly kind: Kind | undefined
}

/** A call that waited while so many worse ones passed it keeps them back until it fits. */
export const maxPassed = 64

/**
 * Gives out processors and memory to ready calls.
 *
 * A1 what is taken never exceeds the capacity, except by a call that runs alone.
 * A2 among calls that fit the best goes first; one that does not fit is passed by worse ones at most `maxPassed` times.
 * A3 what a call took is given back once.
 * A4 a call is started ahead only while all that runs is of its kind: a processor each, no memory, in the window of the
 *    same executor. It takes nothing; the next of them that ends leaves it its processor, here as there.
 * A5 one that lets held inputs go does not wait for a window that is full of others: they would end first, and leave
 *    theirs.
 * A6 a call that names limits starts when it is admitted. While that is asked, its place is kept for it; when it has to
 *    stand in line, others go before it.
 */
export class Slots {
  readonly capacity: Capacity
  paused = false
  readonly #calls: Calls
  /** calls of equal needs share a queue: its head stands for all of them */
  readonly #queues = new Map<string, ReadyQueue>()
  /** the same, to be gone through for each call that starts */
  #lanes: readonly ReadyQueue[] = []
  readonly #admissions = new Admissions()
  /** calls in them */
  #queued = 0
  /** nothing could start, and nothing has changed since */
  #isStuck = false
  /** the queue asked for last: most calls need what the one before them needed */
  #recent: (Capacity & { readonly limits: string | undefined; readonly queue: ReadyQueue }) | undefined
  /** by call that runs */
  readonly #taken = new ChurnMap<number, Taken>()
  /** started ahead, in that order; among them those that are not any more */
  readonly #line = new Queue<number>()
  /** how many ever stood there: `Call.ahead` of the last of them */
  #lined = 0
  /** how many are ahead, and of those, the ones that let held inputs go */
  #ahead = 0
  #freeing = 0
  readonly #kinds = new Map<Window['policies'], Kind>()
  #windows: readonly Window[] = []
  /** the window asked for last */
  #windowed: Windowed | undefined
  #cpu = 0
  #memory = 0

  constructor(capacity: Capacity, calls: Calls) {
    this.capacity = capacity
    this.#calls = calls
  }

  get running(): number {
    return this.#taken.size
  }

  get used(): Capacity {
    return { cpu: this.#cpu, memoryBytes: this.#memory }
  }

  set windows(windows: readonly Window[]) {
    this.#windows = windows
    this.#windowed = undefined
    this.#isStuck = false
  }

  /** How many calls have a place, while others are ahead of them; else nobody is to wait for one. */
  get places(): number {
    return this.#ahead === 0 ? Number.POSITIVE_INFINITY : this.#taken.size - this.#ahead
  }

  queue(call: Call): void {
    this.#queueOf(call).push(call)
    if (call.policy.limits !== undefined) this.#admissions.queued(call)
    this.#queued++
    this.#isStuck = false
  }

  unqueue(call: Call): void {
    if (call.heapIndex < 0) return
    this.#queueOf(call).remove(call)
    if (call.policy.limits !== undefined) this.#admissions.unqueued(call)
    this.#queued--
    this.#isStuck = false
  }

  /** Takes the next call that may start, with its slot. */
  next(): Call | undefined {
    if (this.#isStuck || this.#queued === 0 || this.paused) return undefined
    const fitting = this.#best()
    const next = fitting ?? this.#bestAhead()
    if (next === undefined) this.#isStuck = true
    else {
      this.unqueue(next)
      next.passed = 0
      this.#take(next, fitting === undefined)
    }
    return next
  }

  /** The best of all, if it may start ahead. */
  #bestAhead(): Call | undefined {
    let best: Call | undefined
    for (const queue of this.#lanes) {
      const head = queue.peek()
      if (head === undefined || this.#isInLine(head)) continue
      if (best === undefined || isBetter(head, best)) best = head
    }
    const { window, kind } = (best && this.#windowOf(best)) ?? noWindow
    if (best === undefined || window === undefined || kind === undefined) return undefined
    const { calls } = window
    if (kind.running < this.#taken.size) return undefined
    if (this.#ahead < calls) return best
    const mayFree = this.#freeing < Math.min(this.#ahead, Math.max(calls, this.capacity.cpu))
    return best.frees && mayFree ? best : undefined
  }

  #windowOf({ policy, memoryBytes }: Call): Omit<Windowed, 'policy'> | undefined {
    if (policy.cpu !== 1 || memoryBytes !== 0 || policy.effect || policy.limits !== undefined)
      return undefined
    // most calls are of the task that the one before them was of
    if (this.#windowed?.policy !== policy) this.#windowed = this.#findWindow(policy)
    return this.#windowed
  }

  #findWindow(policy: TaskPolicy): Windowed {
    const window = this.#windows.find(({ policies }) => policies.has(policy))
    if (window === undefined) return { policy, window, kind: undefined }
    const kind = this.#kinds.get(window.policies) ?? { running: 0 }
    this.#kinds.set(window.policies, kind)
    return { policy, window, kind }
  }

  /** The best that fits; those that it passes are told so. */
  #best(): Call | undefined {
    let fitting: Call | undefined
    let undecided: Call | undefined
    for (const queue of this.#lanes) {
      const head = queue.peek()
      if (head === undefined) continue
      const blocker = this.#blocker(head)
      if (blocker === undefined) {
        if (fitting === undefined || isBetter(head, fitting)) fitting = head
      } else if (blocker === 'limit' && this.#admissions.isUndecided(head)) {
        if (undecided === undefined || isBetter(head, undecided)) undecided = head
      }
    }
    if (fitting === undefined) return undefined
    if (undecided !== undefined && isBetter(undecided, fitting)) return undefined
    return this.#lanes.length === 1 || this.#mayPass(fitting) ? fitting : undefined
  }

  /** May it go before better ones that do not fit? They are told so. */
  #mayPass(fitting: Call): boolean {
    const waiting: Call[] = []
    for (const queue of this.#lanes) {
      const head = queue.peek()
      if (head === undefined || !isBetter(head, fitting)) continue
      const blocker = this.#blocker(head)
      if (blocker !== undefined && blocker !== 'limit') waiting.push(head)
    }
    if (waiting.some((head) => head.passed >= maxPassed)) return false
    for (const head of waiting) head.passed++
    return true
  }

  /** The queues, by what their calls need. */
  get queues(): ReadonlyMap<string, ReadyQueue> {
    return this.#queues
  }

  give(call: Call): void {
    const taken = this.#taken.get(call.id)
    if (taken === undefined) return
    this.#taken.delete(call.id)
    this.#isStuck = false
    if (taken.kind !== undefined) taken.kind.running--
    if (call.policy.limits !== undefined) this.#admissions.give(call)
    if (this.#leaveAhead(call)) return
    if (taken.cpu === 1 && this.#inherit(taken)) return
    this.#cpu -= taken.cpu
    this.#memory -= taken.memoryBytes
  }

  /** The first of those that were started ahead has the place now, if there is one. */
  #inherit({ cpu, memoryBytes }: Taken): boolean {
    while (!this.#line.isEmpty) {
      const place = this.#lined - this.#line.size + 1
      const id = this.#line.shift() as number
      const heir = this.#calls.find(id)
      // it may have left, and come again at another place
      if (heir?.ahead !== place) continue
      this.#leaveAhead(heir)
      const taken = this.#taken.get(id) as Taken
      taken.cpu = cpu
      taken.memoryBytes = memoryBytes
      return true
    }
    return false
  }

  /** What a ready call waits for. */
  blocker(call: Call): Blocker {
    return this.paused ? 'held' : (this.#blocker(call) ?? 'slot')
  }

  /** The limit that a ready call waits for, where that is known. */
  limitOf(call: Call): string | undefined {
    return call.policy.limits === undefined ? undefined : this.#admissions.blockedBy(call)
  }

  /** Something came of what `changes` asked for. */
  admit(admitted: Admitted): void {
    this.#admissions.admit(admitted)
    this.#isStuck = false
  }

  /** What is to be asked for and given back now. */
  changes(): readonly DoorChange[] {
    return this.#admissions.isEmpty ? noChanges : this.#admissions.changes(this.paused, this.#roomOf)
  }

  get admissions(): Pick<Admissions, 'figures' | 'waits'> {
    return this.#admissions
  }

  /** Is the place of worse calls kept for this one, until it is known whether it may run? */
  isUndecided(call: Call): boolean {
    return this.#blocker(call) === 'limit' && this.#admissions.isUndecided(call)
  }

  /** What each running call took. */
  get taken(): Iterable<Capacity> {
    return [...this.#taken.entries()].map(([, taken]) => taken)
  }

  /** Is there room for the call now? */
  fits(call: Call): boolean {
    return this.#blocker(call) === undefined
  }

  isQueued(call: Call): boolean {
    return call.heapIndex >= 0
  }

  /** Does the call have a slot? */
  holds(call: Call): boolean {
    return this.#taken.has(call.id)
  }

  #queueOf(call: Call): ReadyQueue {
    const { memoryBytes } = call
    const { cpu } = call.policy
    const limits = call.policy.limits?.key
    const recent = this.#recent
    if (recent?.cpu === cpu && recent.memoryBytes === memoryBytes && recent.limits === limits)
      return recent.queue
    const needs = needsOf(call)
    let queue = this.#queues.get(needs)
    if (queue === undefined) {
      if (this.#queues.size >= maxQueues) this.#dropEmpty()
      queue = new ReadyQueue(this.#calls)
      this.#queues.set(needs, queue)
      this.#lanes = [...this.#queues.values()]
    }
    this.#recent = { cpu, memoryBytes, limits, queue }
    return queue
  }

  /** Needs that nobody has any more: what is tried again with more memory would leave one each time. */
  #dropEmpty(): void {
    this.#recent = undefined
    for (const [needs, queue] of this.#queues) if (queue.size === 0) this.#queues.delete(needs)
  }

  #take(call: Call, ahead: boolean): void {
    const kind = this.#windowOf(call)?.kind
    if (kind !== undefined) kind.running++
    if (call.policy.limits !== undefined) this.#admissions.take(call)
    if (ahead) this.#goAhead(call)
    const cpu = ahead ? 0 : call.policy.cpu
    const memoryBytes = ahead ? 0 : call.memoryBytes
    this.#taken.set(call.id, { cpu, memoryBytes, kind })
    this.#cpu += cpu
    this.#memory += memoryBytes
  }

  #goAhead(call: Call): void {
    this.#line.push(call.id)
    call.ahead = ++this.#lined
    this.#ahead++
    if (call.frees) this.#freeing++
  }

  #leaveAhead(call: Call): boolean {
    if (call.ahead === 0) return false
    call.ahead = 0
    this.#ahead--
    if (call.frees) this.#freeing--
    return true
  }

  #blocker(call: Call): 'slot' | 'memory' | 'limit' | undefined {
    if (this.#taken.size > 0) {
      if (this.#cpu + call.policy.cpu > this.capacity.cpu) return 'slot'
      if (this.#memory + call.memoryBytes > this.capacity.memoryBytes) return 'memory'
    }
    return call.policy.limits === undefined || this.#admissions.isOpen(call) ? undefined : 'limit'
  }

  #isInLine(call: Call): boolean {
    return this.#blocker(call) === 'limit' && !this.#admissions.isUndecided(call)
  }

  readonly #roomOf = (key: string): number => this.#room(key)

  /** How many calls with needs of that key could start, if they were admitted. */
  #room(key: string): number {
    let room = 0
    for (const queue of this.#queues.values()) {
      const head = queue.peek()
      if (head?.policy.limits?.key !== key) continue
      const { cpu } = head.policy
      const byCpu = cpu === 0 ? maxRoom : (this.capacity.cpu - this.#cpu) / cpu
      const byMemory =
        head.memoryBytes === 0 ? maxRoom : (this.capacity.memoryBytes - this.#memory) / head.memoryBytes
      const fitting = Math.max(0, Math.floor(Math.min(byCpu, byMemory, queue.size, maxRoom)))
      // what needs more than there is runs alone
      room += this.#blocker(head) === 'limit' ? Math.max(1, fitting) : fitting
    }
    return room
  }
}

const noChanges: readonly DoorChange[] = []
const noWindow = { window: undefined, kind: undefined } as const

/** Asked for at once, at most. */
const maxRoom = 256

/** From so many queues on the empty ones are dropped. */
const maxQueues = 16

/** Calls of the same needs fit or do not fit alike. */
export const needsOf = (call: Call): string =>
  `${call.policy.cpu} ${call.memoryBytes}${call.policy.limits === undefined ? '' : ` ${call.policy.limits.key}`}`
