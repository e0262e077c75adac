import type { FailureReason } from '../../model/states.ts'
import { type Call, type Phase, phases } from './call.ts'
import type { CallEvent } from './events.ts'
import type { RunGraph } from './graph.ts'
import { isRetried, maxLosses, retryDelay } from './retry.ts'

type EventOf<K extends CallEvent['kind']> = Extract<CallEvent, { kind: K }>
type Transition<K extends CallEvent['kind']> = (graph: RunGraph, call: Call, event: EventOf<K>) => void
type Row = { readonly [K in CallEvent['kind']]?: Transition<K> }

/** The news is about something that was given up: it changes nothing. */
const tooLate = (): void => undefined

/** Answers that may still come for a call that was cancelled, or skipped, while they were under way. */
const answers = {
  identified: tooLate,
  remembered: tooLate,
  refused: tooLate,
  hit: tooLate,
  missed: tooLate,
} as const
const news = { left: tooLate, expanded: tooLate, woke: tooLate, judged: tooLate } as const
/** A retry was given up and the call, long ended, is made again: its old alarm means nothing. */
const alarm = { woke: tooLate } as const

/**
 * What each event does to a call in each phase. A pair that is not here is an error, except that news of an
 * attempt which was given up never gets here (see `isCurrent`).
 */
const transitions: { readonly [P in Phase]: Row } = {
  inputs: {},
  identify: {
    identified: (graph, call, event) => {
      // nothing is remembered after all: it ends anew
      if (call.rememberedOrder !== undefined) call.rememberedOrder = undefined
      if (call.failsAgain) call.failsAgain = false
      if (event.afterCommit) call.afterCommit = true
      if (event.heldInputs !== undefined) call.heldInputs = event.heldInputs
      if (event.lookup) {
        graph.move(call, 'lookup')
        graph.effects.push({ kind: 'lookup', call: call.id })
      } else if (call.kind === 'task' || call.kind === 'entry') graph.proceed(call)
      else graph.enter(call)
    },
    remembered: (graph, call, event) => {
      if (event.lost) Object.assign(call, { held: true, lost: true, copied: event.copied === true })
      if (event.heldInputs !== undefined) call.heldInputs = event.heldInputs
      graph.end(call, event.status, { order: event.order, own: event.own })
    },
    refused: (graph, call) => graph.end(call, { state: 'failed', reason: 'error' }),
  },
  lookup: {
    hit: (graph, call, { lost = false, copied = false }) => {
      call.held = lost
      call.lost = lost
      call.copied = copied
      graph.end(call, { state: 'succeeded', reason: 'cached' })
    },
    missed: (graph, call) => graph.proceed(call),
  },
  gate: {},
  ready: alarm,
  start: {
    ...alarm,
    started: (graph, call) => graph.move(call, 'execute'),
    succeeded,
    failed,
    lost,
    deprived,
    yielded,
    unbegun,
  },
  execute: { ...alarm, started: tooLate, succeeded, failed, lost, deprived },
  retry: { woke: (graph, call) => graph.queue(call) },
  judge: {
    judged: (graph, call, event) => {
      if (event.verdict === 'retry') {
        call.spent = 0
        call.losses = 0
        graph.queue(call)
      } else if (event.verdict === 'skip') graph.end(call, { state: 'skipped', reason: 'policy' })
      else graph.end(call, { state: 'failed', reason: 'error' })
    },
  },
  stop: {
    ...alarm,
    started: tooLate,
    // it ended before it could be stopped: what is done is done, and is kept
    succeeded,
    failed: stopped,
    lost: stopped,
    deprived: stopped,
    yielded: stopped,
    unbegun: stopped,
    stopped,
  },
  entered: {
    left: (graph, call, event) => {
      graph.end(call, event.status)
    },
    expanded: (graph, call) => graph.entryEnded(call),
    woke: tooLate,
  },
  rebuild: alarm,
  ended: { ...answers, ...news },
}

/** The same by code of the phase. */
export const transitionsIn: readonly Row[] = phases.map((phase) => transitions[phase])

const executed = { state: 'succeeded', reason: 'executed' } as const

function succeeded(graph: RunGraph, call: Call, event: EventOf<'succeeded'>): void {
  call.losses = 0
  if (event.held || call.lost) call.copied = event.copied === true
  if (call.lost) return rebuilt(graph, call)
  if (event.held) call.held = true
  graph.end(call, executed)
}

/** The result is there again; the outcome stays as it was recorded. */
function rebuilt(graph: RunGraph, call: Call): void {
  graph.slots.give(call)
  call.lost = false
  call.consumer = undefined
  graph.close(call)
  graph.effects.push({ kind: 'rebuilt', call: call.id })
  const waiters = call.waiters ?? []
  call.waiters = undefined
  for (const id of waiters) {
    const waiter = graph.call(id)
    if (waiter.phase === 'rebuild' && --waiter.pending === 0) graph.queue(waiter)
  }
}

function failed(graph: RunGraph, call: Call, event: EventOf<'failed'>): void {
  call.losses = 0
  graph.slots.give(call)
  const { retries, onFailure } = call.policy
  const isTriedAgain = isRetried(retries, event, call.spent)
  const isJudged = onFailure === 'pause' && !call.lost
  // what would go on, if the run did, has neither succeeded nor failed
  if (isTriedAgain ? graph.draining : isJudged && (graph.draining || graph.cancelling))
    return stopped(graph, call)
  if (isTriedAgain) {
    graph.effects.push({
      kind: 'spent',
      call: call.id,
      attempt: event.attempt,
      reason: event.reason,
      counted: true,
    })
    call.memoryBytes = Math.round(call.memoryBytes * retries.memoryFactor)
    graph.move(call, 'retry')
    graph.effects.push({
      kind: 'wake',
      call: call.id,
      at: event.at + retryDelay(retries, call.spent, event.chance),
    })
    call.spent++
    return
  }
  if (call.lost) return rebuildFailed(graph, call, event, event.reason)
  if (isJudged) {
    graph.effects.push({
      kind: 'spent',
      call: call.id,
      attempt: event.attempt,
      reason: event.reason,
      counted: false,
    })
    graph.move(call, 'judge')
    graph.effects.push({ kind: 'judge', call: call.id })
  } else if (onFailure === 'skip') graph.end(call, { state: 'skipped', reason: 'policy' })
  else graph.end(call, { state: 'failed', reason: event.reason })
}

function lost(graph: RunGraph, call: Call, event: EventOf<'lost' | 'deprived'>): void {
  if (graph.draining) return stopped(graph, call)
  graph.slots.give(call)
  if (++call.losses >= maxLosses) {
    if (call.lost) rebuildFailed(graph, call, event, 'lost')
    else graph.end(call, { state: 'failed', reason: 'lost' })
    return
  }
  graph.effects.push({ kind: 'spent', call: call.id, attempt: event.attempt, reason: 'lost', counted: false })
  graph.queue(call)
}

function deprived(graph: RunGraph, call: Call, event: EventOf<'deprived'>): void {
  // it is said to want what nobody lost: tried again and again, it would never end
  if (event.gone.length === 0 && !event.isOver) return lost(graph, call, event)
  if (graph.draining) return stopped(graph, call)
  graph.slots.give(call)
  for (const id of event.gone) graph.call(id).lost = true
  // an attempt of what has a copy is begun only where that is gone
  call.copied = false
  graph.queue(call)
}

/** Nothing was begun: the call has its slot no more, and no attempt to its account. */
function yielded(graph: RunGraph, call: Call): void {
  if (graph.draining) return stopped(graph, call)
  graph.slots.give(call)
  call.attempt--
  graph.move(call, 'lookup')
  graph.effects.push({ kind: 'lookup', call: call.id })
}

/** As if it had never had a slot. */
function unbegun(graph: RunGraph, call: Call): void {
  if (graph.draining) return stopped(graph, call)
  graph.slots.give(call)
  call.attempt--
  graph.queue(call)
}

/** An attempt was given up. What it made again for others had ended long ago, and stays as it is. */
function stopped(graph: RunGraph, call: Call): void {
  if (call.end === undefined) return graph.end(call, { state: 'cancelled', reason: 'request' })
  graph.slots.give(call)
  if (call.waiters?.some((id) => graph.call(id).phase === 'rebuild') === true) return graph.queue(call)
  call.waiters = undefined
  graph.close(call)
}

/** Its outcome stays; that the attempt failed is on record, and is why those fail that wait for it. */
function rebuildFailed(
  graph: RunGraph,
  call: Call,
  { attempt }: { readonly attempt: number },
  reason: FailureReason,
): void {
  graph.effects.push({ kind: 'spent', call: call.id, attempt, reason, counted: false })
  unbuildable(graph, call, call.id)
}

/** A lost result that cannot be made again takes those with it that wait for it. */
function unbuildable(graph: RunGraph, call: Call, cause?: number): void {
  if (call.phase !== 'ended') graph.close(call)
  const waiters = call.waiters ?? []
  call.waiters = undefined
  for (const id of waiters) {
    const waiter = graph.call(id)
    if (waiter.phase !== 'rebuild') continue
    if (waiter.lost) unbuildable(graph, waiter, cause)
    else graph.end(waiter, { state: 'failed', reason: 'lost' }, undefined, cause)
  }
}

/**
 * Before a call is started: what it needs must be there. True if it is; else the lost results are made again first.
 */
export function hasInputs(graph: RunGraph, call: Call): boolean {
  // its result comes from its copy: if that is gone too, its attempt says what it lacks
  if (call.heldInputs === undefined || (call.lost && call.copied)) return true
  return areThere(graph, call, call.heldInputs)
}

function areThere(graph: RunGraph, call: Call, inputs: readonly number[]): boolean {
  const gone = inputs.filter((id) => graph.call(id).lost)
  if (gone.length === 0) return true
  graph.move(call, 'rebuild')
  call.pending = gone.length
  for (const id of gone) {
    // what cannot be made again has taken the call with it
    if (call.phase !== 'rebuild') break
    rebuild(graph, graph.call(id), call)
  }
  return false
}

function rebuild(graph: RunGraph, call: Call, waiter: Call): void {
  call.waiters ??= []
  call.waiters.push(waiter.id)
  if (call.phase !== 'ended') return
  if ((call.policy.effect || call.policy.random) && !call.copied) return unbuildable(graph, call)
  call.consumer = waiter.id
  graph.reopen(call)
}

/** Is it news of the attempt that is under way? */
export function isCurrent(call: Call, event: { readonly attempt: number }): boolean {
  return (
    event.attempt === call.attempt &&
    (call.phase === 'start' || call.phase === 'execute' || call.phase === 'stop')
  )
}
