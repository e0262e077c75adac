import { awaitedBy } from '../../model/call-kinds.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { TaskPolicy } from '../../model/task.ts'
import { Heap } from '../../util/heap.ts'
import { type Call, type EndStatus, type Phase, phaseCodes, phases, statusOf } from './call.ts'
import { Calls } from './calls.ts'
import type { Effect, Made } from './events.ts'
import { GivenOrders } from './given-orders.ts'
import { type Capacity, Slots } from './slots.ts'

/**
 * The calls of a run, their edges, and the steps that every transition is made of.
 *
 * G1 `pending` of a call in `inputs` is the number of its inputs that have not ended.
 * G2 a call ends once; only a rebuild takes it back into `ready`, and never changes how it ended.
 * G3 orders are unique, and that of a success is higher than those of its inputs. A call keeps its remembered order as
 *    long as that holds, and functions have been given nothing of a higher one since it was made: what is replayed
 *    later then falls as it falls now.
 * G4 a call whose input did not succeed is skipped, unless it is tolerant.
 * G5 `count(phase)` is the number of calls in that phase, `freeing` that of those in `identify` which `frees`.
 * G6 `users` of a call is how many attempted calls take its outcome and have not ended, or make their result again: what
 *    they take is not let go of under them.
 */
export class RunGraph {
  readonly slots: Slots
  effects: Effect[] = []
  /** without those of an earlier life that have not been made again */
  readonly calls = new Calls()
  /** calls in `gate`, and what must be durable before they go on */
  readonly gated = new Heap<{ readonly needs: number; readonly call: Call }>((a, b) => a.needs < b.needs)
  readonly failures: Call[] = []
  /** calls whose held results no call needs that is known by now; a later one may, and has them made again */
  unneeded: number[] = []
  readonly given = new GivenOrders()
  /** outcomes up to this order are durable */
  committed: number
  nextOrder: number
  /** the run was cancelled: what was under way is given up, what is made later (clean-up) runs */
  cancelling = false
  /** nothing new starts: the function threw, or the run was cancelled twice */
  draining = false
  settled: boolean | undefined
  finished = false
  /** by phase, how many calls */
  readonly #phases = new Int32Array(phases.length)
  #freeing = 0
  #size = 0
  /** what is entered and waits for the world: questions, sleeps, messages and callbacks */
  readonly waiting = { person: 0, time: 0, signal: 0 }

  constructor(capacity: Capacity, nextOrder: number) {
    this.slots = new Slots(capacity, this.calls)
    this.nextOrder = nextOrder
    // what is remembered is durable
    this.committed = nextOrder - 1
  }

  get size(): number {
    return this.#size
  }

  count(phase: Phase): number {
    return this.#phases[phaseCodes[phase]] as number
  }

  /** Calls in phase `identify` that would let held results go. */
  get freeing(): number {
    return this.#freeing
  }

  call(id: number): Call {
    const call = this.calls.find(id)
    if (call === undefined) throw new AlmanacError('ALM_BUG', { why: `there is no call ${id}` })
    return call
  }

  add(made: Made): Call {
    if (this.calls.find(made.call) !== undefined)
      throw new AlmanacError('ALM_BUG', { why: `call ${made.call} is made twice` })
    const { policy, spent = 0 } = made
    const call = this.calls.add({ id: made.call, kind: made.callKind, policy, inputs: made.inputs })
    call.after = this.given.highest
    call.givenBefore = this.given.count
    if (made.attempts !== undefined) call.attempt = made.attempts
    if (spent > 0) {
      call.spent = spent
      call.memoryBytes = memoryAfter(policy, spent)
    }
    if (made.parent !== undefined) call.parent = made.parent
    if (made.order !== undefined) call.rememberedOrder = made.order
    if (this.#failsAgain(made)) call.failsAgain = true
    if (made.tolerant === true) call.tolerant = true
    for (const id of made.inputs) this.#use(id, isAttempted(call))
    this.#size++
    this.#count(phaseCodes.inputs, 1)
    return call
  }

  move(call: Call, phase: Phase): void {
    const { phaseCode: before } = call
    const code = phaseCodes[phase]
    this.#count(before, -1)
    this.#count(code, 1)
    if (before === phaseCodes.entered) this.#wait(call, -1)
    if (before === phaseCodes.identify && call.frees) this.#freeing--
    call.phaseCode = code
    if (code === phaseCodes.entered) this.#wait(call, 1)
  }

  #count(phase: number, by: 1 | -1): void {
    this.#phases[phase] = (this.#phases[phase] as number) + by
  }

  /** The call ends, and with it all that cannot be without it. */
  end(
    call: Call,
    status: EndStatus,
    recorded?: { readonly order: number | undefined; readonly own: boolean },
    cause?: number,
  ): void {
    const order = this.#order(
      call,
      status,
      recorded === undefined ? derivedOrder(call, status) : recorded.order,
    )
    const isRecorded = recorded?.own === true && order === recorded.order
    if (call.consumer === undefined) this.#endOne(call, status, order, !isRecorded, cause)
    else this.#endAll(call, status, order, !isRecorded, cause)
  }

  #endAll(call: Call, status: EndStatus, order: number, record: boolean, cause?: number): void {
    const ends: End[] = [{ call, status, order, record, cause }]
    for (const next of ends) {
      this.#endOne(next.call, next.status, next.order, next.record, next.cause)
      for (const id of consumersOf(next.call)) {
        const consumer = this.call(id)
        if (consumer.phase !== 'inputs') continue
        if (next.status.state !== 'succeeded' && !consumer.tolerant) {
          const skipped = { state: 'skipped', reason: 'upstream' } as const
          ends.push({
            call: consumer,
            status: skipped,
            order: this.#order(consumer, skipped, derivedOrder(consumer, skipped)),
            record: true,
          })
          this.move(consumer, 'ended')
        } else if (--consumer.pending === 0) this.inputsEnded(consumer)
      }
      // they have heard of it
      next.call.consumer = undefined
      next.call.moreConsumers = undefined
    }
  }

  /** `consumer` waits for the outcome of `call`. */
  consume(call: Call, consumer: Call): void {
    if (call.consumer === undefined) call.consumer = consumer.id
    else if (call.moreConsumers === undefined) call.moreConsumers = [consumer.id]
    else call.moreConsumers.push(consumer.id)
  }

  inputsEnded(call: Call): void {
    if (isIdentified(call)) {
      this.move(call, 'identify')
      if (call.inputs.length > 0 && this.#mayFree(call.inputs)) {
        call.frees = true
        this.#freeing++
      }
      this.effects.push({ kind: 'identify', call: call.id })
    } else this.enter(call)
  }

  #mayFree(inputs: readonly number[]): boolean {
    return inputs.some((id) => {
      const { held, kind } = this.call(id)
      return held || kind === 'view'
    })
  }

  enter(call: Call): void {
    this.move(call, 'entered')
    // until all its entries are made: the first may end before the second is there
    if (call.kind === 'map') call.pending = 1
    this.effects.push({ kind: 'enter', call: call.id })
  }

  /** The call may be attempted as soon as what it depends on is durable, if that matters, and there is a slot. */
  proceed(call: Call): void {
    const needs = call.afterCommit ? this.mustBeDurable(call) : -1
    if (needs > this.committed) {
      this.move(call, 'gate')
      this.gated.push({ needs, call })
    } else this.queue(call)
  }

  queue(call: Call): void {
    this.move(call, 'ready')
    this.slots.queue(call)
  }

  /** A call that had ended makes its result again, from what it takes. */
  reopen(call: Call): void {
    if (isAttempted(call)) for (const id of call.inputs) this.call(id).users++
    this.queue(call)
  }

  /** Its result is made again, or not to be: how it had ended stays. */
  close(call: Call): void {
    this.move(call, 'ended')
    this.#unuseInputs(call)
  }

  /** The newest outcome that the call depends on, by an edge or because the function had been given it. */
  mustBeDurable(call: Call): number {
    let order = call.after
    for (const id of call.inputs) order = Math.max(order, this.call(id).order)
    // an entry depends on what its map depends on
    return call.parent === undefined ? order : Math.max(order, this.mustBeDurable(this.call(call.parent)))
  }

  /** All of what a transition needs to say when it is impossible. */
  story(call: Call): string {
    const { state, reason } = statusOf(call)
    return `call ${call.id} (${call.kind}) is ${state}/${reason} in phase ${call.phase}, attempt ${call.attempt}`
  }

  #endOne(call: Call, status: EndStatus, order: number, record: boolean, cause?: number): void {
    if (call.phase === 'ready') this.slots.unqueue(call)
    this.slots.give(call)
    this.move(call, 'ended')
    call.end = status
    call.order = order
    if (status.state === 'failed') this.failures.push(call)
    this.effects.push({ kind: 'ended', call: call.id, status, order, record, cause })
    if (call.tolerant) for (const id of call.inputs) this.call(id).observed = true
    this.#unuseInputs(call)
    if (call.parent !== undefined) this.entryEnded(this.call(call.parent))
  }

  #use(id: number, counts: boolean): void {
    const input = this.call(id)
    if (counts) input.users++
    else input.kept = true
  }

  #unuseInputs(call: Call): void {
    if (isAttempted(call)) for (const id of call.inputs) this.#unuse(id)
  }

  /** A call that was attempted with it has ended: was it the last that needs what is held for the input? */
  #unuse(id: number): void {
    const input = this.call(id)
    if (--input.users > 0 || !input.held || input.lost) return
    if (this.#mayGo(input)) this.unneeded.push(id)
  }

  /** Is the call the only one that needs the held results that it takes? One that is made later has them made again. */
  usesUp(call: Call): boolean {
    return call.heldInputs !== undefined && this.#mayAllGo(call.heldInputs)
  }

  #mayAllGo(inputs: readonly number[]): boolean {
    return inputs.every((id) => this.call(id).users === 1 && this.#mayGo(this.call(id)))
  }

  #mayGo({ kept, policy }: Call): boolean {
    return !kept && !policy.effect && !policy.random
  }

  /** An entry of a map has ended, or all of them are made: it waits for one thing less. */
  entryEnded(map: Call): void {
    map.pending--
    if (map.pending === 0 && map.phase === 'entered') this.effects.push({ kind: 'gather', call: map.id })
  }

  #order(call: Call, status: EndStatus, remembered: number | undefined): number {
    const isKept =
      remembered !== undefined &&
      remembered > this.given.since(call.givenBefore) &&
      (status.reason === 'upstream' ? this.#hasCause(call, remembered) : this.#isLast(call, remembered))
    return isKept ? remembered : this.nextOrder++
  }

  /** Does an order come after those of all inputs? */
  #isLast(call: Call, order: number): boolean {
    return call.inputs.every((id) => this.call(id).order < order)
  }

  /**
   * Did an input fail, or is it about to be known to have failed, before that order? That an input has a remembered
   * order is not enough: what was skipped since another call was cancelled may succeed now.
   */
  #hasCause({ inputs }: Pick<Call, 'inputs'>, order: number): boolean {
    return inputs.some((id) => {
      const input = this.call(id)
      if (input.end !== undefined) return input.end.state !== 'succeeded' && input.order < order
      return input.failsAgain === true && this.#isExpected(input, order)
    })
  }

  /** Will a remembered failure hold, as far as can be known when the call is made? */
  #failsAgain({ failure, order, inputs }: Made): boolean {
    if (failure === undefined || order === undefined) return false
    if (failure === 'upstream') return this.#hasCause({ inputs }, order)
    return inputs.every((id) => {
      const input = this.call(id)
      return input.end === undefined ? this.#isExpected(input, order) : input.order < order
    })
  }

  /** May the call, which has not ended, still end in its remembered order, and is that before another? */
  #isExpected({ rememberedOrder, givenBefore }: Call, order: number): boolean {
    return (
      rememberedOrder !== undefined &&
      rememberedOrder < order &&
      rememberedOrder > this.given.since(givenBefore)
    )
  }

  #wait(call: Call, by: 1 | -1): void {
    const awaited = awaitedBy[call.kind]
    if (awaited !== undefined) this.waiting[awaited] += by
  }
}

interface End {
  readonly call: Call
  readonly status: EndStatus
  readonly order: number
  readonly record: boolean
  readonly cause?: number | undefined
}

/** Those that wait for its outcome. */
export const consumersOf = ({ consumer, moreConsumers = [] }: Call): readonly number[] =>
  consumer === undefined ? [] : [consumer, ...moreConsumers]

/** What an attempt may take after so many retries. */
const memoryAfter = ({ memoryBytes, retries }: TaskPolicy, spent: number): number =>
  Math.round(memoryBytes * retries.memoryFactor ** spent)

/** What is derived keeps its place in the order that functions saw in an earlier life. */
const derivedOrder = (call: Call, status: EndStatus): number | undefined =>
  !isIdentified(call) || status.reason === 'upstream' ? call.rememberedOrder : undefined

/** What it takes is used by its attempts, and by nothing else. */
export const isAttempted = (call: Call): boolean => call.kind === 'task' || call.kind === 'entry'

/** Is the call known by a fingerprint, so that its outcome can be remembered? Views and children are derived anew. */
export const isIdentified = (call: Call): boolean =>
  call.kind !== 'child' && call.kind !== 'local' && call.kind !== 'view'
