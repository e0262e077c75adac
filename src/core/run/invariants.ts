import { AlmanacError } from '../../model/errors.ts'
import type { Call, Phase } from './call.ts'
import type { RunGraph } from './graph.ts'
import type { RunMachine } from './machine.ts'
import { isBetter } from './ready-queue.ts'
import { maxPassed, needsOf } from './slots.ts'

/**
 * Checks what the heads of `machine.ts`, `graph.ts`, `slots.ts` and `ready-queue.ts` promise, on the state between
 * two events. For tests and simulation: it looks at every call.
 *
 * @throws ALM_BUG with the number of the broken invariant and the call's story
 */
export function checkInvariants(machine: RunMachine): void {
  const { graph } = machine
  const seen: Seen = { phases: new Map(), orders: new Set(), holders: 0, size: 0 }
  for (const call of graph.calls) {
    if (call === undefined) continue
    seen.size++
    seen.phases.set(call.phase, (seen.phases.get(call.phase) ?? 0) + 1)
    checkInputs(graph, call)
    checkEnd(graph, call, seen.orders)
    checkPhase(graph, call)
    if (graph.slots.holds(call)) seen.holders++
  }
  checkCounts(graph, seen)
  checkSlots(graph, seen.holders)
  checkQueues(graph)
}

interface Seen {
  readonly phases: Map<Phase, number>
  readonly orders: Set<number>
  holders: number
  size: number
}

function broken(rule: string, graph: RunGraph, call: Call | undefined, why: string): never {
  const story = call === undefined ? '' : `: ${graph.story(call)}`
  throw new AlmanacError('ALM_BUG', { why: `${rule} ${why}${story}` })
}

/** R1, G1, G4: what a call may do follows from how its inputs ended. */
function checkInputs(graph: RunGraph, call: Call): void {
  let open = 0
  let failed = false
  for (const id of call.inputs) {
    const input = graph.call(id)
    if (input.end === undefined) {
      open++
      if (call.phase === 'inputs' && !input.consumers.includes(call.id))
        broken('G1', graph, call, `call ${id} does not know its consumer`)
    } else if (input.end.state !== 'succeeded') failed = true
  }
  if (call.phase === 'inputs') {
    if (call.pending !== open)
      broken('G1', graph, call, `${call.pending} inputs are counted, ${open} have not ended`)
    if (open === 0) broken('R5', graph, call, 'it waits for inputs, and all have ended')
  } else if (open > 0 && call.phase !== 'ended')
    broken('R1', graph, call, 'it goes on before its inputs have ended')
  if (failed && !call.tolerant && call.phase !== 'ended')
    broken('G4', graph, call, 'an input failed, and it is not skipped')
  if (call.end?.reason === 'upstream' && !failed)
    broken('G4', graph, call, 'it was skipped, and no input failed')
}

/** G2, G3: how it ended, and in which order. */
function checkEnd(graph: RunGraph, call: Call, orders: Set<number>): void {
  if (call.end === undefined) {
    if (call.phase === 'ended' || call.order !== -1) broken('G2', graph, call, 'it ended without a state')
    return
  }
  if (call.phase !== 'ended' && !(call.lost && call.end.state === 'succeeded')) {
    broken('G2', graph, call, `it is ${call.end.state} and goes on`)
  }
  if (call.order < 0 || call.order >= graph.nextOrder)
    broken('G3', graph, call, `its order ${call.order} was not given out`)
  if (orders.has(call.order)) broken('G3', graph, call, `another call has its order ${call.order}`)
  orders.add(call.order)
  if (call.end.state !== 'succeeded') return
  for (const id of call.inputs) {
    const { order } = graph.call(id)
    if (order >= graph.firstNew && order > call.order)
      broken('G3', graph, call, `its input ${id} ended later, as ${order}`)
  }
}

/** R2, R3, R5, A3: what keeps a call in its phase is there. */
function checkPhase(graph: RunGraph, call: Call): void {
  const isAttempted = call.phase === 'start' || call.phase === 'execute' || call.phase === 'stop'
  if (isAttempted !== graph.slots.holds(call)) {
    broken(
      isAttempted ? 'A3' : 'R2',
      graph,
      call,
      isAttempted ? 'it runs without a slot' : 'it holds a slot and does not run',
    )
  }
  if (isAttempted && call.attempt < 1) broken('R2', graph, call, 'it runs without an attempt')
  const isPast = isAttempted || call.phase === 'ready' || call.phase === 'retry' || call.phase === 'judge'
  if (isPast && call.afterCommit && graph.mustBeDurable(call) > graph.committed) {
    broken('R3', graph, call, `it goes on while order ${graph.mustBeDurable(call)} is not durable`)
  }
  switch (call.phase) {
    case 'gate':
      if (graph.mustBeDurable(call) <= graph.committed)
        broken('R5', graph, call, 'all that it waits for is durable')
      break
    case 'ready':
      if (!graph.slots.isQueued(call)) broken('R5', graph, call, 'it is ready, and in no queue')
      break
    case 'rebuild':
      checkRebuild(graph, call)
      break
  }
}

function checkRebuild(graph: RunGraph, call: Call): void {
  const awaited = (call.heldInputs ?? []).filter((id) => graph.call(id).waiters?.includes(call.id) === true)
  if (awaited.length !== call.pending)
    broken('R5', graph, call, `it waits for ${call.pending} results, ${awaited.length} are made again`)
  for (const id of awaited) {
    if (graph.call(id).phase === 'ended')
      broken('R5', graph, call, `nobody makes the result of call ${id} again`)
  }
}

/** R4, G5: counts, and the end. */
function checkCounts(graph: RunGraph, seen: Seen): void {
  if (seen.size !== graph.size)
    broken('G5', graph, undefined, `${graph.size} calls are counted, there are ${seen.size}`)
  for (const phase of phases) {
    const count = seen.phases.get(phase) ?? 0
    if (graph.count(phase) !== count)
      broken(
        'G5',
        graph,
        undefined,
        `${graph.count(phase)} calls are counted in ${phase}, there are ${count}`,
      )
  }
  if (!graph.finished) return
  if (graph.settled === undefined) broken('R4', graph, undefined, 'the run finished before its function')
  if (graph.count('ended') !== graph.size) broken('R4', graph, undefined, 'the run finished before its calls')
}

/** A1, A2, A3 of all. */
function checkSlots(graph: RunGraph, holders: number): void {
  const { slots } = graph
  if (slots.running !== holders)
    broken('A3', graph, undefined, `${slots.running} slots are taken, ${holders} calls run`)
  let cpu = 0
  let memoryBytes = 0
  for (const taken of slots.taken) {
    cpu += taken.cpu
    memoryBytes += taken.memoryBytes
  }
  const { used, capacity } = slots
  if (Math.abs(used.cpu - cpu) > 1e-9 || used.memoryBytes !== memoryBytes)
    broken('A3', graph, undefined, 'what is taken is miscounted')
  const isOver = used.cpu > capacity.cpu + 1e-9 || used.memoryBytes > capacity.memoryBytes
  if (isOver && slots.running > 1)
    broken('A1', graph, undefined, `${used.cpu} processors and ${used.memoryBytes} bytes are taken`)
}

/** Q1, Q2, A2, and R5 of what is ready: nothing that could start is left. */
function checkQueues(graph: RunGraph): void {
  const { slots } = graph
  let queued = 0
  const heads: Call[] = []
  for (const [needs, queue] of slots.queues) {
    const heap = [...queue]
    queued += heap.length
    if (heap[0] !== undefined) heads.push(heap[0])
    heap.forEach((call, index) => {
      if (call.phase !== 'ready') broken('Q1', graph, call, 'it is queued and not ready')
      if (call.heapIndex !== index)
        broken('Q1', graph, call, `it is at ${index} of its queue and not at ${call.heapIndex}`)
      if (needsOf(call) !== needs) broken('Q1', graph, call, `it is queued with calls that need ${needs}`)
      const above = heap[(index - 1) >> 1]
      if (index > 0 && above !== undefined && isBetter(call, above))
        broken('Q2', graph, call, `call ${above.id} goes before it`)
    })
  }
  if (queued !== graph.count('ready'))
    broken('R5', graph, undefined, `${queued} calls are queued, ${graph.count('ready')} are ready`)
  if (slots.paused) return
  for (const head of heads) {
    if (head.passed > maxPassed) broken('A2', graph, head, `it was passed ${head.passed} times`)
    const isKeptBack = heads.some((other) => other.passed >= maxPassed && isBetter(other, head))
    if (slots.fits(head) && !isKeptBack) broken('R5', graph, head, 'it could start')
  }
}

const phases: readonly Phase[] = [
  'inputs',
  'identify',
  'lookup',
  'gate',
  'ready',
  'start',
  'execute',
  'retry',
  'judge',
  'stop',
  'entered',
  'rebuild',
  'ended',
]
