import { ChurnMap } from '../../util/churn-map.ts'
import { Admissions, type Admitted, type DoorChange } from './admissions.ts'
import type { Blocker, Call } from './call.ts'
import type { Calls } from './calls.ts'
import { CallsAhead, type Kind, type Window } from './calls-ahead.ts'
import { isBetter, type ReadyQueue } from './ready-queue.ts'
import { ReadyQueues } from './ready-queues.ts'

/** What may run at once. */
export interface Capacity {
  readonly cpu: number
  readonly memoryBytes: number
}

/** What a running call took, and which kind of call it was then. */
interface Taken {
  cpu: number
  memoryBytes: number
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
  readonly #queues: ReadyQueues
  readonly #ahead: CallsAhead
  readonly #admissions = new Admissions()
  /** by call that runs */
  readonly #taken = new ChurnMap<number, Taken>()
  #cpu = 0
  #memory = 0
  /** nothing could start, and nothing has changed since */
  #isStuck = false

  constructor(capacity: Capacity, calls: Calls) {
    this.capacity = capacity
    this.#queues = new ReadyQueues(calls)
    this.#ahead = new CallsAhead(calls)
  }

  get running(): number {
    return this.#taken.size
  }

  get used(): Capacity {
    return { cpu: this.#cpu, memoryBytes: this.#memory }
  }

  /** What each running call took. */
  get taken(): Iterable<Capacity> {
    return [...this.#taken.entries()].map(([, taken]) => taken)
  }

  /** The queues, by what their calls need. */
  get queues(): ReadonlyMap<string, ReadyQueue> {
    return this.#queues.byNeeds
  }

  get admissions(): Pick<Admissions, 'figures' | 'waits'> {
    return this.#admissions
  }

  set windows(windows: readonly Window[]) {
    this.#ahead.windows = windows
    this.#isStuck = false
  }

  /** How many calls have a place, while others are ahead of them; else nobody is to wait for one. */
  get places(): number {
    return this.#ahead.size === 0 ? Number.POSITIVE_INFINITY : this.#taken.size - this.#ahead.size
  }

  queue(call: Call): void {
    this.#queues.add(call)
    if (call.policy.limits !== undefined) this.#admissions.queued(call)
    this.#isStuck = false
  }

  unqueue(call: Call): void {
    if (call.heapIndex < 0) return
    this.#queues.remove(call)
    if (call.policy.limits !== undefined) this.#admissions.unqueued(call)
    this.#isStuck = false
  }

  isQueued(call: Call): boolean {
    return call.heapIndex >= 0
  }

  /** Takes the next call that may start, with its slot. */
  next(): Call | undefined {
    if (this.#isStuck || this.#queues.size === 0 || this.paused) return undefined
    const fitting = this.#best()
    const next = fitting ?? this.#bestAhead()
    if (next === undefined) this.#isStuck = true
    else {
      this.unqueue(next)
      next.passed = 0
      if (fitting === undefined) this.#takeAhead(next)
      else this.#take(next, next.policy.cpu, next.memoryBytes)
    }
    return next
  }

  give(call: Call): void {
    const taken = this.#taken.get(call.id)
    if (taken === undefined) return
    this.#taken.delete(call.id)
    this.#isStuck = false
    if (taken.kind !== undefined) taken.kind.running--
    if (call.policy.limits !== undefined) this.#admissions.give(call)
    if (this.#ahead.leave(call)) return
    if (taken.cpu === 1 && this.#inherit(taken)) return
    this.#cpu -= taken.cpu
    this.#memory -= taken.memoryBytes
  }

  /** Does the call have a slot? */
  holds(call: Call): boolean {
    return this.#taken.has(call.id)
  }

  /** Is there room for the call now? */
  fits(call: Call): boolean {
    return this.#blocker(call) === undefined
  }

  /** What a ready call waits for. */
  blocker(call: Call): Blocker {
    return this.paused ? 'held' : (this.#blocker(call) ?? 'slot')
  }

  /** The limit that a ready call waits for, where that is known. */
  limitOf(call: Call): string | undefined {
    return call.policy.limits === undefined ? undefined : this.#admissions.blockedBy(call)
  }

  /** Is the place of worse calls kept for this one, until it is known whether it may run? */
  isUndecided(call: Call): boolean {
    return this.#blocker(call) === 'limit' && this.#admissions.isUndecided(call)
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

  /** The best that fits; those that it passes are told so. */
  #best(): Call | undefined {
    let fitting: Call | undefined
    let undecided: Call | undefined
    for (const queue of this.#queues.all) {
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
    return this.#queues.all.length === 1 || this.#mayPass(fitting) ? fitting : undefined
  }

  /** May it go before better ones that do not fit? They are told so. */
  #mayPass(fitting: Call): boolean {
    const waiting: Call[] = []
    for (const queue of this.#queues.all) {
      const head = queue.peek()
      if (head === undefined || !isBetter(head, fitting)) continue
      const blocker = this.#blocker(head)
      if (blocker !== undefined && blocker !== 'limit') waiting.push(head)
    }
    if (waiting.some((head) => head.passed >= maxPassed)) return false
    for (const head of waiting) head.passed++
    return true
  }

  /** The best of all, if it may start ahead. */
  #bestAhead(): Call | undefined {
    let best: Call | undefined
    for (const queue of this.#queues.all) {
      const head = queue.peek()
      if (head === undefined || this.#isInLine(head)) continue
      if (best === undefined || isBetter(head, best)) best = head
    }
    return best !== undefined && this.#ahead.mayJoin(best, this.#taken.size, this.capacity.cpu)
      ? best
      : undefined
  }

  #takeAhead(call: Call): void {
    this.#take(call, 0, 0)
    this.#ahead.join(call)
  }

  #take(call: Call, cpu: number, memoryBytes: number): void {
    const kind = this.#ahead.kindOf(call)
    if (kind !== undefined) kind.running++
    if (call.policy.limits !== undefined) this.#admissions.take(call)
    this.#taken.set(call.id, { cpu, memoryBytes, kind })
    this.#cpu += cpu
    this.#memory += memoryBytes
  }

  /** The first of those that were started ahead has the place now, if there is one. */
  #inherit({ cpu, memoryBytes }: Taken): boolean {
    const heir = this.#ahead.shift()
    if (heir === undefined) return false
    const taken = this.#taken.get(heir.id) as Taken
    taken.cpu = cpu
    taken.memoryBytes = memoryBytes
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
    for (const queue of this.#queues.all) {
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

/** Asked for at once, at most. */
const maxRoom = 256
