import { AlmanacError } from '../../model/errors.ts'
import { type Call, type EndStatus, type Phase, phases } from './call.ts'
import { consumersOf, isAttempted, type RunGraph } from './graph.ts'
import type { RunMachine } from './machine.ts'
import { isBetter } from './ready-queue.ts'
import { needsOf } from './ready-queues.ts'
import { maxPassed } from './slots.ts'

/**
 * Checks what the heads of `machine.ts`, `graph.ts`, `slots.ts` and `ready-queue.ts` promise, on the state between
 * two events, and that what has ended stays as it is. For tests and simulation: it looks at every call.
 */
export class Invariants {
  readonly #graph: RunGraph
  /** how calls ended, when that was first seen, and which call has each order */
  readonly #ends = new Map<number, { readonly end: EndStatus; readonly order: number }>()
  readonly #orders = new Map<number, number>()

  constructor(machine: RunMachine) {
    this.#graph = machine.graph
  }

  /** @throws ALM_BUG with the number of the broken invariant and the call's story */
  check(): void {
    const graph = this.#graph
    const phases: Record<string, number> = {}
    let size = 0
    let holders = 0
    for (const call of graph.calls) {
      size++
      phases[call.phase] = (phases[call.phase] ?? 0) + 1
      const holds = graph.slots.holds(call)
      if (holds) holders++
      if (call.end !== undefined) this.#checkEnd(call, call.end)
      else if (call.phase === 'ended' || call.order !== -1)
        broken('G2', graph, undefined, `call ${call.id} ended without a state`)
      else checkInputs(graph, call)
      checkPhase(graph, call, holds)
    }
    checkUsers(graph)
    checkCounts(graph, size, phases)
    checkSlots(graph, holders)
    checkQueues(graph)
  }

  /** G2, G3, G4 of what has ended. */
  #checkEnd(call: Call, end: EndStatus): void {
    const graph = this.#graph
    const isRebuilt = call.lost && end.state === 'succeeded'
    if (call.phase !== 'ended' && !isRebuilt) broken('G2', graph, call, `it is ${end.state} and goes on`)
    const before = this.#ends.get(call.id)
    if (before !== undefined) {
      if (before.end === end && before.order === call.order) return
      broken(
        'G2',
        graph,
        call,
        `it had ended ${before.end.state} as ${before.order}, now ${end.state} as ${call.order}`,
      )
    }
    this.#ends.set(call.id, { end, order: call.order })
    const other = this.#orders.get(call.order)
    if (other !== undefined) broken('G3', graph, call, `call ${other} has its order ${call.order}`)
    this.#orders.set(call.order, call.id)
    if (call.order < 0 || call.order >= graph.nextOrder)
      broken('G3', graph, call, `its order ${call.order} was not given out`)
    const inputs = call.inputs.map((id) => graph.call(id))
    const later = inputs.find(({ order }) => order > call.order)
    if (end.state === 'succeeded' && later !== undefined) {
      broken('G3', graph, call, `its input ${later.id} ended later, as ${later.order}`)
    }
    const isWanting = inputs.some((input) => input.end !== undefined && input.end.state !== 'succeeded')
    if (end.reason === 'upstream' && !isWanting)
      broken('G4', graph, call, 'it was skipped, and no input failed')
    if (end.state === 'succeeded' && isWanting && !call.tolerant)
      broken('G4', graph, call, 'an input failed, and it succeeded')
  }
}

function broken(rule: string, graph: RunGraph, call: Call | undefined, why: string): never {
  const story = call === undefined ? '' : `: ${graph.story(call)}`
  throw new AlmanacError('ALM_BUG', { why: `${rule} ${why}${story}` })
}

/** R1, G1, G4 of what has not: what a call may do follows from how its inputs ended. */
function checkInputs(graph: RunGraph, call: Call): void {
  let open = 0
  for (const id of call.inputs) {
    const input = graph.call(id)
    if (input.end === undefined) {
      open++
      if (!consumersOf(input).includes(call.id))
        broken('G1', graph, call, `call ${id} does not know its consumer`)
    } else if (input.end.state !== 'succeeded' && !call.tolerant) {
      broken('G4', graph, call, `its input ${id} failed, and it is not skipped`)
    }
  }
  if (call.phase !== 'inputs') {
    if (open > 0) broken('R1', graph, call, 'it goes on before its inputs have ended')
  } else if (call.pending !== open) {
    broken('G1', graph, call, `${call.pending} inputs are counted, ${open} have not ended`)
  } else if (open === 0) broken('R5', graph, call, 'it waits for inputs, and all have ended')
}

const attempted: readonly Phase[] = ['start', 'execute', 'stop']
const past: readonly Phase[] = [...attempted, 'ready', 'retry', 'judge']

/** R2, R3, R5, A3: what keeps a call in its phase is there. */
function checkPhase(graph: RunGraph, call: Call, holds: boolean): void {
  const isAttempted = attempted.includes(call.phase)
  if (holds && !isAttempted) broken('R2', graph, call, 'it holds a slot and does not run')
  if (isAttempted && !holds) broken('A3', graph, call, 'it runs without a slot')
  if (isAttempted && call.attempt < 1) broken('R2', graph, call, 'it runs without an attempt')
  if (call.afterCommit && past.includes(call.phase) && graph.mustBeDurable(call) > graph.committed) {
    broken('R3', graph, call, `it goes on while order ${graph.mustBeDurable(call)} is not durable`)
  }
  if (call.phase === 'gate' && graph.mustBeDurable(call) <= graph.committed) {
    broken('R5', graph, call, 'all that it waits for is durable')
  }
  if (call.phase === 'ready' && !graph.slots.isQueued(call))
    broken('R5', graph, call, 'it is ready, and in no queue')
  if (call.phase === 'rebuild') checkRebuild(graph, call)
}

function checkRebuild(graph: RunGraph, call: Call): void {
  const awaited = (call.heldInputs ?? []).filter((id) => graph.call(id).waiters?.includes(call.id) === true)
  if (awaited.length !== call.pending) {
    broken('R5', graph, call, `it waits for ${call.pending} results, ${awaited.length} are made again`)
  }
  const idle = awaited.find((id) => graph.call(id).phase === 'ended')
  if (idle !== undefined) broken('R5', graph, call, `nobody makes the result of call ${idle} again`)
}

/** G6 */
function checkUsers(graph: RunGraph): void {
  const users = new Map<number, number>()
  for (const call of graph.calls) {
    if (!isAttempted(call) || call.phase === 'ended') continue
    for (const id of call.inputs) users.set(id, (users.get(id) ?? 0) + 1)
  }
  for (const call of graph.calls) {
    const count = users.get(call.id) ?? 0
    if (call.users !== count) broken('G6', graph, call, `${call.users} users are counted, there are ${count}`)
  }
}

/** R4, G5: counts, and the end. */
function checkCounts(graph: RunGraph, size: number, counts: Readonly<Record<string, number>>): void {
  if (size !== graph.size)
    broken('G5', graph, undefined, `${graph.size} calls are counted, there are ${size}`)
  for (const phase of phases) {
    const [counted, count] = [graph.count(phase), counts[phase] ?? 0]
    if (counted !== count)
      broken('G5', graph, undefined, `${counted} calls are counted in ${phase}, there are ${count}`)
  }
  if (!graph.finished) return
  if (graph.settled === undefined) broken('R4', graph, undefined, 'the run finished before its function')
  if (graph.count('ended') !== size) broken('R4', graph, undefined, 'the run finished before its calls')
}

/** A1, A3 of all. */
function checkSlots(graph: RunGraph, holders: number): void {
  const { slots } = graph
  if (slots.running !== holders) {
    broken('A3', graph, undefined, `${slots.running} slots are taken, ${holders} calls run`)
  }
  let cpu = 0
  let memoryBytes = 0
  for (const taken of slots.taken) {
    cpu += taken.cpu
    memoryBytes += taken.memoryBytes
  }
  const { used, capacity } = slots
  const isMiscounted = Math.abs(used.cpu - cpu) > 1e-9 || used.memoryBytes !== memoryBytes
  if (isMiscounted) broken('A3', graph, undefined, 'what is taken is miscounted')
  const isOver = used.cpu > capacity.cpu + 1e-9 || used.memoryBytes > capacity.memoryBytes
  if (isOver && slots.running > 1) {
    broken('A1', graph, undefined, `${used.cpu} processors and ${used.memoryBytes} bytes are taken`)
  }
}

/** Q1, Q2, A2, and R5 of what is ready: nothing that could start is left. */
function checkQueues(graph: RunGraph): void {
  const { slots } = graph
  let queued = 0
  const heads: Call[] = []
  for (const [needs, queue] of slots.queues) {
    const head = queue.peek()
    if (head !== undefined) heads.push(head)
    const { heap, line } = queue
    queued += heap.size + line.size
    if (queue.size !== heap.size + line.size)
      broken('Q1', graph, head, `${queue.size} are counted in a queue of ${heap.size + line.size}`)
    for (const [place, call] of [...heap, ...line]) {
      if (call.phase !== 'ready') broken('Q1', graph, call, 'it is queued and not ready')
      if (call.heapIndex !== place)
        broken('Q1', graph, call, `it is at ${place} of its queue, not at ${call.heapIndex}`)
      if (needsOf(call) !== needs) broken('Q1', graph, call, `it is queued with calls that need ${needs}`)
    }
    for (const [place, call] of heap) checkOrder(graph, heap.get((place - 1) >> 1), call)
    let before: Call | undefined
    for (const call of line.values()) {
      checkOrder(graph, before, call)
      before = call
    }
  }
  if (queued !== graph.count('ready')) {
    broken('R5', graph, undefined, `${queued} calls are queued, ${graph.count('ready')} are ready`)
  }
  for (const { key, granted, used, queued } of slots.admissions.figures()) {
    const counts = `${used} of ${granted} admissions by ${key} are used, ${queued} calls wait`
    if (used > granted || used < 0) broken('D1', graph, undefined, counts)
    if (granted - used > (slots.paused ? 0 : queued)) broken('D2', graph, undefined, counts)
  }
  if (slots.paused) return
  for (const head of heads) {
    if (head.passed > maxPassed) broken('A2', graph, head, `it was passed ${head.passed} times`)
    const isKeptBack = heads.some(
      (other) => isBetter(other, head) && (other.passed >= maxPassed || slots.isUndecided(other)),
    )
    if (slots.fits(head) && !isKeptBack) broken('R5', graph, head, 'it could start')
  }
}

function checkOrder(graph: RunGraph, before: Call | undefined, call: Call): void {
  if (before !== undefined && isBetter(call, before))
    broken('Q2', graph, call, `call ${before.id} goes before it`)
}
