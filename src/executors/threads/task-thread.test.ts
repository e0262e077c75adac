import { afterAll, expect, it } from 'vitest'
import type { TaskContext } from '../../model/task-context.ts'
import { consoleCapture } from '../functions/console-capture.ts'
import type { Message, MessagePortLike, Order, Report } from './messages.ts'
import { traits, words } from './messages.ts'
import { TaskThread } from './task-thread.ts'
import { ThreadTasks } from './thread-tasks.ts'

afterAll(() => consoleCapture.close())

const mib = 2 ** 20
/** Of bytes that do not go through text. */
const size = 40_000

function partOf(value: unknown, parts: readonly Uint8Array[]): Uint8Array | undefined {
  const { $, i } = Object(value) as { readonly $?: unknown; readonly i?: number }
  return $ === 'part' ? parts[i as number] : undefined
}

/** A thread's end of its channel, in the hand of a host that hears when it wants to. */
class HeldPort implements MessagePortLike {
  readonly reports: Report[] = []
  readonly #large: [seq: number, bytes: Uint8Array][] = []
  thread: TaskThread | undefined
  #heard: (message: Message) => void = () => undefined

  postMessage(message: Message): void {
    const { text, parts } =
      typeof message === 'string' ? { text: message, parts: [] } : structuredClone(message)
    const reports = JSON.parse(text) as Report[]
    this.reports.push(...reports)
    for (const report of reports) {
      if (report[0] !== 'ok') continue
      const bytes = partOf(report[2][''], parts)
      if (bytes !== undefined) this.#large.push([report[1], bytes])
    }
  }

  /** Of large bytes that were results, read only now: of which attempt they are, how many, and which there are. */
  bytes(): [seq: number, count: number, kinds: number[]][] {
    return this.#large.map(([seq, bytes]) => [seq, bytes.length, [...new Set(bytes)]])
  }

  on(_event: 'message', heard: (message: Message) => void): void {
    this.#heard = heard
  }

  tell(...orders: Order[]): void {
    this.#heard(JSON.stringify(orders))
  }

  /** Those that have ended, in order. */
  ended(): number[] {
    return this.reports.flatMap((report) => (report[0] === 'ok' ? [report[1]] : []))
  }

  /** Bytes that the thread says to have left. */
  left(): number {
    return this.reports.reduce((most, report) => (report[0] === 'left' ? report[1] : most), 0)
  }
}

/**
 * A thread that knows `leaf(bytes)`, which gives an array of so many bytes, `sum(array)`, and three that give 40,000
 * bytes: `fresh(byte)` in memory of its attempt, `scratch(byte)` in memory of its module, `seen(array)` those of an array.
 */
async function thread(): Promise<HeldPort> {
  const port = new HeldPort()
  const tasks = new ThreadTasks()
  const module = 'data:text/javascript,export default 1'
  const at = [`${module}:1:1`]
  tasks.add({ name: 'leaf', at, fn: (bytes) => new Float64Array((bytes as number) / 8) })
  tasks.add({ name: 'sum', at, fn: (array) => (array as Float64Array).length })
  const scratch = new Uint8Array(size)
  tasks.add({ name: 'scratch', at, fn: (byte) => scratch.fill(byte as number) })
  tasks.add({
    name: 'fresh',
    at,
    fn: (byte, context) => (context as TaskContext).empty(Uint8Array, size).fill(byte as number),
  })
  tasks.add({
    name: 'seen',
    at,
    fn: (array) => {
      const { buffer, byteOffset, byteLength } = array as Float64Array
      return Buffer.from(buffer, byteOffset, byteLength)
    },
  })
  const control = new SharedArrayBuffer(4 * words.count)
  const start = { almanac: 'thread', port, number: 1, control, keeps: 2 ** 30 } as const
  port.thread = new TaskThread(start, tasks, (value) => value)
  port.tell(['width', 16], ['task', 1, 'leaf', at, null], ['task', 2, 'sum', at, null])
  port.tell(['task', 3, 'fresh', at, null], ['task', 4, 'scratch', at, null], ['task', 5, 'seen', at, null])
  await tasks.find('sum', at)
  return port
}

/** Each turn of the loop begins one call at least, if one may begin. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}

const about = ['run', 0, 0, 'key', 0] as const
const leaf = (seq: number, bytes: number): Order => ['run', seq, 1, { args: [bytes] }, 0, about]
const sum = (seq: number, id: number, length: number, more = 0): Order => [
  'run',
  seq,
  2,
  { args: [{ $: 'array', id, type: 'Float64Array', offset: 0, length }] },
  traits.takesArrays + more,
  about,
]

const leaves = (first: number, count: number, bytes: number): Order[] =>
  Array.from({ length: count }, (_, index) => leaf(first + index, bytes))

/** The number of the buffer in which the result of an attempt lies. */
const bufferOf = (port: HeldPort, seq: number): number => {
  const ok = port.reports.find((report) => report[0] === 'ok' && report[1] === seq) as Extract<
    Report,
    readonly ['ok', ...unknown[]]
  >
  return (ok[2][''] as { readonly id: number }).id
}

it('leaves no more than 32 MiB of arrays behind while nobody hears of them', async () => {
  const port = await thread()
  port.tell(...leaves(1, 40, mib))
  await settle()
  expect([port.ended().length, port.left()]).toEqual([33, 32 * mib])
  // what was heard of makes room for as much
  port.tell(['heard', 24 * mib])
  await settle()
  expect(port.ended()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
})

it('leaves four of the largest behind where those are more', async () => {
  const port = await thread()
  port.tell(...leaves(1, 9, 16 * mib))
  await settle()
  expect(port.ended()).toEqual([1, 2, 3, 4, 5])
  port.tell(['heard', 16 * mib])
  await settle()
  expect(port.ended()).toEqual([1, 2, 3, 4, 5, 6])
  port.tell(['heard', port.left()])
  await settle()
  expect(port.ended()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

it('begins what takes arrays in, whatever nobody has heard of', async () => {
  const port = await thread()
  port.tell(...leaves(1, 5, 16 * mib))
  await settle()
  port.tell(sum(6, bufferOf(port, 1), 2 * mib), leaf(7, mib), sum(8, bufferOf(port, 2), 2 * mib))
  await settle()
  expect(port.ended()).toEqual([1, 2, 3, 4, 5, 6])
  port.tell(['heard', port.left()])
  await settle()
  expect(port.ended()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

it('begins what may pass others first, and else keeps the order', async () => {
  const port = await thread()
  port.tell(leaf(1, mib))
  await settle()
  const array = [bufferOf(port, 1), mib / 8] as const
  const passing = (seq: number): Order => sum(seq, ...array, traits.mayPass)
  port.tell(...leaves(2, 2, mib), sum(4, ...array), passing(5), leaf(6, mib), passing(7))
  await settle()
  expect(port.ended()).toEqual([1, 5, 7, 2, 3, 4, 6])
})

it.each([
  ['of its attempt', 3],
  ['of its module', 4],
])('gives large bytes as they were when their attempt ended, in memory %s', async (_, task) => {
  const port = await thread()
  const of = (seq: number): Order => ['run', seq, task, { args: [seq] }, 0, about]
  port.tell(of(1), of(2), of(3), of(4), of(5), of(6))
  await settle()
  expect(port.bytes()).toEqual([1, 2, 3, 4, 5, 6].map((seq) => [seq, size, [seq]]))
})

it('gives the bytes of an array as they were, whatever its memory is used for when it is free', async () => {
  const port = await thread()
  port.tell(leaf(1, size))
  await settle()
  const id = bufferOf(port, 1)
  const array = { $: 'array', id, type: 'Float64Array', offset: 0, length: size / 8 }
  port.tell(['run', 2, 5, { args: [array] }, traits.takesArrays, about])
  await settle()
  port.tell(['free', [id]], ['run', 3, 3, { args: [3] }, 0, about])
  await settle()
  expect(port.bytes()).toEqual([
    [2, size, [0]],
    [3, size, [3]],
  ])
})
