import { awaitedBy } from '../../model/call-kinds.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { CallStatus } from '../../model/states.ts'
import { type Call, statusOf } from './call.ts'
import type { CallEvent, Effect, Made, RunEvent } from './events.ts'
import { RunGraph } from './graph.ts'
import type { Capacity } from './slots.ts'
import { hasInputs, isCurrent, transitionsIn } from './transitions.ts'

/**
 * One run, decided: events go in, effects come out. Synchronous, without clock, chance or I/O.
 *
 * R1 no call starts before all its inputs have ended as it needs them (see `transitions.ts`, `graph.ts`).
 * R2 an attempt that was given up can neither report, nor end its call, nor hold a slot.
 * R3 a call whose attempts act on the world starts after what it depends on is durable.
 * R4 the run finishes once: when its function has settled, every call has ended, and no function goes on.
 * R5 every call that has not ended is in a phase that some event or effect under way takes it out of.
 */
export class RunMachine {
  readonly graph: RunGraph

  /** `nextOrder`: the first order that no remembered outcome has. */
  constructor(capacity: Capacity, nextOrder = 0) {
    this.graph = new RunGraph(capacity, nextOrder)
  }

  /** Applies one event. What it wants done is in `drain`. */
  apply(event: RunEvent): void {
    this.#dispatch(event)
    this.#start()
    for (const change of this.graph.slots.changes()) this.graph.effects.push({ kind: 'admission', ...change })
  }

  /** Takes the effects since the last time, in order. */
  drain(): Effect[] {
    const { effects } = this.graph
    if (effects.length > 0) this.graph.effects = []
    return effects
  }

  status(call: number): CallStatus {
    const found = this.graph.call(call)
    return statusOf(found, found.phase === 'ready' ? this.graph.slots.blocker(found) : undefined)
  }

  /** The function has settled and every call has ended: the run finishes unless a function that rests goes on. */
  get isDone(): boolean {
    const { graph } = this
    return graph.settled !== undefined && !graph.finished && graph.count('ended') === graph.size
  }

  /** Nothing goes on but what a person, or the end of a pause, must set going. */
  get isResting(): boolean {
    const { graph } = this
    if (graph.slots.running > 0 || graph.waiting.time > 0) return false
    for (const phase of ['identify', 'lookup', 'gate', 'start', 'execute', 'stop', 'retry'] as const) {
      if (graph.count(phase) > 0) return false
    }
    return graph.slots.paused || graph.count('ready') === 0
  }

  #dispatch(event: RunEvent): void {
    const { graph } = this
    switch (event.kind) {
      case 'made':
        return this.#made(event)
      case 'gone':
        for (const id of event.calls) {
          const call = graph.call(id)
          if (call.held) call.lost = true
        }
        return
      case 'committed':
        return this.#committed(event.order)
      case 'given':
        graph.given.give(graph.call(event.call).order)
        return
      case 'observed':
        graph.call(event.call).observed = true
        return
      case 'rested':
        return this.#finish()
      case 'window':
        graph.slots.windows = event.windows
        return
      case 'admitted':
        return graph.slots.admit(event)
      case 'pause':
        graph.slots.paused = true
        return
      case 'unpause':
        graph.slots.paused = false
        return
      case 'cancel':
        return this.#cancel()
      case 'was-cancelled':
        graph.cancelling = true
        return
      case 'settled':
        return this.#settled(event.ok, event.failFast)
      default:
        return this.#callEvent(event)
    }
  }

  #callEvent(event: CallEvent): void {
    const call = this.graph.call(event.call)
    if ('attempt' in event && !isCurrent(call, event)) return
    const transition = transitionsIn[call.phaseCode]?.[event.kind] as
      | ((graph: RunGraph, call: Call, event: CallEvent) => void)
      | undefined
    if (transition === undefined) {
      throw new AlmanacError('ALM_BUG', { why: `${event.kind} cannot happen now: ${this.graph.story(call)}` })
    }
    transition(this.graph, call, event)
  }

  #made(event: Made): void {
    const { graph } = this
    const call = graph.add(event)
    if (event.parent !== undefined) graph.call(event.parent).pending++
    if (event.givenUp === true || graph.draining) return graph.end(call, cancelled, this.#recordedEnd(event))
    let failed = false
    for (const id of event.inputs) {
      const input = graph.call(id)
      if (input.end === undefined) {
        call.pending++
        graph.consume(input, call)
      } else if (input.end.state !== 'succeeded' && !call.tolerant) failed = true
    }
    if (failed) graph.end(call, { state: 'skipped', reason: 'upstream' })
    else if (call.pending === 0) graph.inputsEnded(call)
  }

  /** What was given up before keeps the place among outcomes that it had. */
  #recordedEnd({ givenUp, order }: Made): { readonly order: number; readonly own: boolean } | undefined {
    return givenUp === true && order !== undefined ? { order, own: true } : undefined
  }

  #committed(order: number): void {
    const { graph } = this
    graph.committed = Math.max(graph.committed, order)
    for (
      let next = graph.gated.peek();
      next !== undefined && next.needs <= graph.committed;
      next = graph.gated.peek()
    ) {
      graph.gated.pop()
      if (next.call.phase === 'gate') graph.queue(next.call)
    }
  }

  #settled(ok: boolean, failFast: boolean): void {
    const { graph } = this
    if (graph.settled !== undefined)
      throw new AlmanacError('ALM_BUG', { why: 'the workflow function settled twice' })
    graph.settled = ok
    if (ok) return
    graph.draining = true
    this.#giveUp(failFast)
  }

  #cancel(): void {
    const { graph } = this
    graph.slots.paused = false
    if (graph.cancelling) graph.draining = true
    graph.cancelling = true
    const stopped = this.#giveUp(true)
    graph.effects.push({ kind: 'cancelling', stopped })
  }

  /**
   * Ends what has not begun; stops what runs, if `running`. Children and maps end by themselves. Gives the calls whose
   * attempts are being stopped, but for those that make a result again.
   */
  #giveUp(running: boolean): number[] {
    const { graph } = this
    const stopped: number[] = []
    for (const call of graph.calls) {
      switch (call.phase) {
        case 'inputs':
        case 'identify':
        case 'lookup':
        case 'gate':
        case 'ready':
        case 'retry':
        case 'judge':
        case 'rebuild':
          this.#drop(call)
          break
        case 'start':
        case 'execute':
          if (!running) break
          graph.effects.push({ kind: 'stop', call: call.id, attempt: call.attempt })
          graph.move(call, 'stop')
          if (call.end === undefined) stopped.push(call.id)
          break
        case 'entered':
          if (waitsForWorld(call)) this.#drop(call)
          break
        case 'stop':
          if (call.end === undefined) stopped.push(call.id)
          break
        case 'ended':
          break
      }
    }
    return stopped
  }

  #drop(call: Call): void {
    const { graph } = this
    if (!call.lost || call.end === undefined) return graph.end(call, cancelled)
    // it had ended long ago: only making it again is given up
    if (call.phase === 'ready') graph.slots.unqueue(call)
    call.waiters = undefined
    graph.close(call)
  }

  #start(): void {
    const { graph } = this
    for (let call = graph.slots.next(); call !== undefined; call = graph.slots.next()) {
      if (!hasInputs(graph, call)) {
        graph.slots.give(call)
        continue
      }
      call.attempt++
      graph.move(call, 'start')
      graph.effects.push({
        kind: 'start',
        call: call.id,
        attempt: call.attempt,
        memoryBytes: call.memoryBytes,
      })
    }
  }

  #finish(): void {
    const { graph } = this
    if (!this.isDone) return
    graph.finished = true
    graph.effects.push({ kind: 'finish', unseen: unseenFailures(graph) })
  }
}

/** What was entered and ends by itself is left to do so. */
const waitsForWorld = ({ kind }: Call): boolean => awaitedBy[kind] !== undefined

/** One for all: there may be a hundred thousand at once. */
const cancelled = { state: 'cancelled', reason: 'request' } as const

/** Failures that nobody awaited: neither themselves nor what they made impossible. */
function unseenFailures(graph: RunGraph): number[] {
  const seen = new Set<number>()
  const see = (call: Call): void => {
    const calls = [call]
    for (const next of calls) {
      if (seen.has(next.id)) continue
      seen.add(next.id)
      for (const id of next.inputs) {
        const input = graph.call(id)
        if (input.end?.state !== 'succeeded') calls.push(input)
      }
    }
  }
  if (graph.failures.length === 0) return []
  for (const call of graph.calls) {
    if (call.observed && call.end?.state !== 'succeeded') see(call)
  }
  // the failure of an entry is seen with its map
  const isSeen = (call: Call): boolean =>
    seen.has(call.id) || (call.parent !== undefined && entrySeen(graph.call(call.parent)))
  const entrySeen = (map: Call): boolean =>
    map.end?.state === 'succeeded' || map.end?.state === 'failed' || isSeen(map)
  return graph.failures.filter((call) => !isSeen(call)).map((call) => call.id)
}
