import { describe, expect, it } from 'vitest'
import { identified, MachineBench, made, settled, succeeded } from '../../testing/machine-bench.ts'
import type { Call } from './call.ts'
import type { RunGraph } from './graph.ts'
import { Invariants } from './invariants.ts'
import type { RunMachine } from './machine.ts'
import { lineFrom } from './ready-queue.ts'

/** 0 has ended, 1 runs, 2 waits for both, 3 and 4 are ready and wait for a processor. */
function aMachine(): RunMachine {
  const bench = new MachineBench({ cpu: 1 })
  bench.do(made(0), identified(0), succeeded(0), made(1), identified(1), made(2, { inputs: [0, 1] }))
  bench.do(made(3), identified(3), made(4), identified(4))
  return bench.machine
}

const breaks: readonly (readonly [message: string, (graph: RunGraph, call: (id: number) => Call) => void])[] =
  [
    ['R1 it goes on before its inputs have ended', (graph, call) => graph.move(call(2), 'lookup')],
    ['R2 it holds a slot and does not run', (graph, call) => graph.move(call(1), 'retry')],
    [
      'R2 it runs without an attempt',
      (_, call) => {
        call(1).attempt = 0
      },
    ],
    [
      'R3 it goes on while order 7 is not durable',
      (_, call) => Object.assign(call(1), { afterCommit: true, after: 7 }),
    ],
    [
      'R4 the run finished before its function',
      (graph) => {
        graph.finished = true
      },
    ],
    [
      'R4 the run finished before its calls',
      (graph) => Object.assign(graph, { settled: true, finished: true }),
    ],
    [
      'R5 it could start',
      (graph, call) => {
        graph.slots.give(call(1))
        graph.move(call(1), 'retry')
      },
    ],
    [
      'R5 it waits for inputs, and all have ended',
      (graph, call) => {
        graph.slots.give(call(1))
        graph.move(call(1), 'inputs')
      },
    ],
    [
      'R5 it is ready, and in no queue',
      (_, call) => {
        call(3).heapIndex = -1
      },
    ],
    [
      'R5 all that it waits for is durable',
      (graph, call) => {
        graph.slots.unqueue(call(3))
        graph.move(call(3), 'gate')
      },
    ],
    [
      'R5 it waits for 1 results, 0 are made again',
      (graph, call) => {
        graph.slots.unqueue(call(3))
        graph.move(call(3), 'rebuild')
        call(3).pending = 1
      },
    ],
    [
      'R5 nobody makes the result of call 0 again',
      (graph, call) => {
        graph.slots.unqueue(call(3))
        graph.move(call(3), 'rebuild')
        Object.assign(call(3), { pending: 1, heldInputs: [0] })
        call(0).waiters = [3]
      },
    ],
    [
      'G1 2 inputs are counted, 1 have not ended',
      (_, call) => {
        call(2).pending = 2
      },
    ],
    [
      'G1 call 1 does not know its consumer',
      (_, call) => {
        call(1).consumer = undefined
      },
    ],
    ['G2 it is succeeded and goes on', (graph, call) => graph.move(call(0), 'identify')],
    [
      'G2 call 3 ended without a state',
      (graph, call) => {
        graph.slots.unqueue(call(3))
        graph.move(call(3), 'ended')
      },
    ],
    [
      'G3 its order 9 was not given out',
      (_, call) => {
        call(0).order = 9
      },
    ],
    [
      'G3 call 0 has its order 0',
      (graph, call) => {
        graph.slots.unqueue(call(3))
        graph.move(call(3), 'ended')
        Object.assign(call(3), { order: 0, end: call(0).end })
      },
    ],
    [
      'G4 its input 0 failed, and it is not skipped',
      (_, call) => {
        call(0).end = { state: 'failed', reason: 'error' }
      },
    ],
    [
      'G4 it was skipped, and no input failed',
      (_, call) => {
        call(0).end = { state: 'skipped', reason: 'upstream' }
      },
    ],
    [
      'G5 0 calls are counted in identify, there are 1',
      (graph, call) => {
        graph.slots.unqueue(call(3))
        call(3).phase = 'identify'
      },
    ],
    [
      'A2 it was passed 99 times',
      (_, call) => {
        call(3).passed = 99
      },
    ],
    [
      'A3 it runs without a slot',
      (graph, call) => {
        graph.slots.unqueue(call(3))
        graph.move(call(3), 'execute')
      },
    ],
    [
      'Q1 it is queued with calls that need 1 0',
      (_, call) => {
        call(3).memoryBytes = 5
      },
    ],
    [
      `Q1 it is at ${lineFrom} of its queue, not at 4`,
      (_, call) => {
        call(3).heapIndex = 4
      },
    ],
    ['Q1 it is queued and not ready', (graph, call) => graph.move(call(3), 'identify')],
    [
      'Q2 call 3 goes before it',
      (_, call) => {
        call(4).rank = 0
      },
    ],
  ]

describe('the check of invariants', () => {
  it('finds nothing wrong with what the machine does', () => {
    expect(() => new Invariants(aMachine()).check()).not.toThrow()
  })

  it.each(breaks)('finds: %s', (message, breakIt) => {
    const machine = aMachine()
    breakIt(machine.graph, (id) => machine.graph.call(id))
    expect(() => new Invariants(machine).check()).toThrow(`Almanac itself failed: ${message}`)
  })

  it('finds: A1, when more is taken than there is', () => {
    const bench = new MachineBench({ cpu: 2 })
    bench.do(made(0), identified(0), made(1), identified(1))
    Object.assign(bench.machine.graph.slots, { capacity: { cpu: 1, memoryBytes: 0 } })
    expect(() => new Invariants(bench.machine).check()).toThrow('A1 2 processors and 0 bytes are taken')
  })

  it('sees, step after step, that how a call had ended changed', () => {
    const machine = aMachine()
    const invariants = new Invariants(machine)
    invariants.check()
    machine.apply(settled())
    invariants.check()
    machine.graph.call(0).end = { state: 'succeeded', reason: 'cached' }
    expect(() => invariants.check()).toThrow('G2 it had ended succeeded as 0, now succeeded as 0')
  })
})
