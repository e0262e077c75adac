import { afterAll, expect, it } from 'vitest'
import { consoleCapture } from '../console-capture.ts'
import type { Message, MessagePortLike, Order, Report } from './messages.ts'
import { traits, words } from './messages.ts'
import { TaskThread } from './task-thread.ts'
import { ThreadTasks } from './thread-tasks.ts'

afterAll(() => consoleCapture.close())

const mib = 2 ** 20

/** A thread's end of its channel, in the hand of a host that hears when it wants to. */
class HeldPort implements MessagePortLike {
  readonly reports: Report[] = []
  thread: TaskThread | undefined
  #heard: (message: Message) => void = () => undefined

  postMessage(message: Message): void {
    this.reports.push(...(JSON.parse(typeof message === 'string' ? message : message.text) as Report[]))
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

/** A thread that knows `leaf(bytes)`, which gives an array of so many bytes, and `sum(array)`. */
async function thread(): Promise<HeldPort> {
  const port = new HeldPort()
  const tasks = new ThreadTasks()
  const module = 'data:text/javascript,export default 1'
  const at = [`${module}:1:1`]
  tasks.add({ name: 'leaf', at, fn: (bytes) => new Float64Array((bytes as number) / 8) })
  tasks.add({ name: 'sum', at, fn: (array) => (array as Float64Array).length })
  const control = new SharedArrayBuffer(4 * words.count)
  const start = { almanac: 'thread', port, number: 1, control, keeps: 2 ** 30 } as const
  port.thread = new TaskThread(start, tasks, (value) => value)
  port.tell(['width', 16], ['task', 1, 'leaf', at, null], ['task', 2, 'sum', at, null])
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
