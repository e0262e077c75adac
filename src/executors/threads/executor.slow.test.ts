import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileRef, HeldRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { Attempt, AttemptEnd } from '../../ports/executor.ts'
import { ExecutorBench } from '../../testing/executors/executor-bench.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { ArrayBudget } from '../array-budget.ts'
import { openThreadExecutor, type ThreadExecutorOptions } from './executor.ts'

const program = new URL('../../wiring/thread.ts', import.meta.url)
const file = (name: string): string => new URL(`../../../test/threads/${name}.ts`, import.meta.url).href

let bench: ExecutorBench
let warnings: string[]

async function open(more: Partial<ThreadExecutorOptions> = {}): Promise<void> {
  warnings = []
  const warn = (text: string): void => void warnings.push(text)
  bench = await ExecutorBench.openPlain((options, listener) =>
    openThreadExecutor({ ...options, program, threads: 2, warn, ...more }, listener),
  )
}

beforeEach(() => open())
afterEach(() => bench.close())

const spec = (name: string, module = 'tasks', threads = 1): TaskSpec =>
  taskSpec(name, { kind: 'thread', name, at: [`${file(module)}:1:1`], threads })

const attempt = (task: TaskSpec, args: readonly Value[], more: Partial<Attempt> = {}): Attempt =>
  bench.attempt({ task, inputs: { args } }, more)

function run(name: string, ...args: readonly Value[]): Promise<AttemptEnd> {
  return bench.run({ task: spec(name), inputs: { args } })
}

async function value(name: string, ...args: readonly Value[]): Promise<Value> {
  const end = await run(name, ...args)
  if (end.kind !== 'succeeded') throw new Error(JSON.stringify(end))
  return end.values['']
}

const held = async (name: string, ...args: readonly Value[]): Promise<HeldRef> =>
  (await value(name, ...args)) as HeldRef

/**
 * How tasks end in threads of 40 MB, in a process of its own: where a thread whose heap is full asks for much at once,
 * V8 ends the process, which it may do to that one only, and not each time.
 */
async function endsOfLittleMemory(...tasks: readonly string[]): Promise<unknown> {
  const host = fileURLToPath(new URL('../../../test/threads/want-of-memory.ts', import.meta.url))
  for (let tried = 1; ; tried++) {
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [host, ...tasks])
      return JSON.parse(stdout)
    } catch (error) {
      const { signal } = error as { readonly signal?: string }
      if (tried === 3 || !['SIGTRAP', 'SIGILL', 'SIGABRT'].includes(signal ?? '')) throw error
    }
  }
}

describe('functions of tasks', () => {
  it('have what they write to the streams of the process in their logs, as what their console says', async () => {
    const one = attempt(spec('writes'), [])
    bench.executor.submit([one])
    await bench.heard.end(one.id)
    expect(bench.heard.texts(one.id, 'stdout')).toEqual(['out'])
    expect(bench.heard.texts(one.id, 'stderr')).toEqual(['err', 'and more'])
  })

  it('are found where another module defines them for theirs', async () => {
    const at = [`${file('made-by')}:1:1`, `${file('tasks')}:1:1`]
    const task = taskSpec('double', { kind: 'thread', name: 'double', at, threads: 1 })
    expect(await bench.run({ task, inputs: { args: [4] } })).toMatchObject({ values: { '': 8 } })
  })

  it.each([
    ['absent', 'tasks', 'tasks.ts defines none when it is loaded', 1],
    ['never', 'broken', 'broken.ts could not be loaded in a thread: no such luck', 6],
    ['gone', 'no-such-file', 'could not be loaded in a thread', 1],
  ])('that cannot be found fail their calls for good, and say where: %s', async (name, module, why, line) => {
    const end = await bench.run({ task: spec(name, module), inputs: { args: [] } })
    expect(end).toMatchObject({ kind: 'failed', reason: 'error', retryable: false })
    const message = expect.stringContaining(why)
    const place = { file: fileURLToPath(file(module)), line }
    expect(end).toMatchObject({ error: { code: 'ALM_THREAD_TASK', message, ...place } })
  })

  it('that closures tell apart are refused', async () => {
    const at = [`${file('made-by')}:1:1`, `${file('tasks')}:1:1`]
    const task = taskSpec('twin', { kind: 'thread', name: 'twin', at, threads: 1 })
    const end = await bench.run({ task, inputs: { args: [1] } })
    expect(end).toMatchObject({
      error: { code: 'ALM_THREAD_TASK', message: expect.stringContaining('several') },
    })
  })

  it('are loaded once in a thread', async () => {
    await bench.close()
    await open({ threads: 1 })
    expect([await value('count'), await value('count')]).toEqual([1, 2])
  })

  it('get files by their paths, a context, and declared variables', async () => {
    const staged = new FileRef('a.txt', 'a'.repeat(64), 1, false, '/staged/a.txt')
    const one = attempt(spec('read'), [staged], { env: { ALMANAC_TEST_VARIABLE: 'set' } })
    bench.executor.submit([one])
    expect(await bench.heard.end(one.id)).toMatchObject({
      values: { '': ['/staged/a.txt', one.scratch, 'r1', 'set'] },
    })
  })

  it('run at once in one thread where their task says that they wait', async () => {
    const attempts = Array.from({ length: 16 }, () => attempt(spec('meet', 'tasks', 16), [8]))
    bench.executor.submit(attempts)
    const ends = await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
    expect(new Set(ends.map(({ kind }) => kind))).toEqual(new Set(['succeeded']))
  })
})

describe('arrays', () => {
  it('stay in memory that threads share, and are given without a copy', async () => {
    const a = await held('ramp', 1000)
    const b = await held('plain', 3)
    expect(a).toMatchObject({ type: 'float64[1000]', size: 8000, holder: 'threads', key: 'key-1', path: [] })
    expect(await value('sum', a, b)).toBe(499_500 + 9)
    expect(await value('shared', a)).toBe(true)
  })

  it('are of the same memory where a task gives back what it was given', async () => {
    const a = await held('ramp', 100_000)
    const again = await held('same', a)
    const part = await held('half', a)
    bench.executor.release?.([a.handle])
    expect([await value('sum', again), await value('sum', part)]).toEqual([4_999_950_000, 1_249_975_000])
  })

  it('may be anywhere in a result, beside what is kept by value', async () => {
    const found = (await value('mixed')) as Record<string, Value>
    expect(found).toMatchObject({
      list: [{ type: 'int16[2]', path: ['list', 0] }, 'text', new Uint8Array([1, 2, 3])],
      raw: { type: 'bytes[2]', path: ['raw'] },
      date: new Date(0),
      big: 2n ** 70n,
    })
    expect(await value('bytes', found['raw'])).toEqual([4, 5])
  })

  it('of bytes are values, however large', async () => {
    expect(await value('large', new Uint8Array(100_000).fill(7))).toEqual(new Uint8Array(100_000).fill(8))
  })

  it('are there when the thread that made them has died', async () => {
    await bench.close()
    await open({ threads: 1 })
    const a = await held('ramp', 10)
    expect(await run('exits')).toMatchObject({ error: { code: 'ALM_TASK_EXIT' } })
    expect(await value('sum', a)).toBe(45)
  })

  it('that were let go of are gone for their consumers', async () => {
    const a = await held('ramp', 10)
    bench.executor.release?.([a.handle])
    expect(await run('sum', a)).toEqual({ kind: 'inputs-gone', handles: [a.handle] })
  })

  it('are written and read again', async () => {
    for (const name of ['ramp', 'plain']) {
      const a = await held(name, 5)
      const npy = await bench.executor.persist?.(a.handle)
      const again = await bench.executor.restore?.(npy as Uint8Array, a)
      expect(again).toEqual(new HeldRef(a.key, [], a.type, a.size, 'threads', again?.handle ?? 0))
      expect(await value('sum', again)).toBe(await value('sum', a))
    }
    expect(await bench.executor.persist?.(1)).toBeUndefined()
  })

  it('that memory has no room for are given to their consumers all the same', async () => {
    await bench.close()
    await open({ arrays: new ArrayBudget(100_000) })
    const made = await Promise.all([1, 2, 3, 4, 5].map(() => held('ramp', 10_000)))
    const sums = await Promise.all(made.map((one) => value('sum', one)))
    expect(sums).toEqual(made.map(() => 49_995_000))
    expect(await value('sum', ...made)).toBe(5 * 49_995_000)
  })

  it('of a result that is refused are let go of', async () => {
    expect(await run('refused')).toMatchObject({
      reason: 'outputs',
      error: { code: 'ALM_RESULT_REFUSED', message: expect.stringContaining('bad') },
    })
  })
})

describe('a thread that ends', () => {
  it('by process.exit fails its call, and is replaced', async () => {
    expect(await run('exits')).toMatchObject({
      kind: 'failed',
      retryable: true,
      error: { code: 'ALM_TASK_EXIT', message: 'The thread of exits ended with exit code 7.' },
    })
    expect(await value('twice', 1)).toBe(2)
  })

  it('by what nobody caught fails the call that threw it', async () => {
    expect(await run('throws-later')).toMatchObject({
      kind: 'failed',
      retryable: true,
      error: { code: 'ALM_TASK_FAILED', type: 'TypeError', message: 'out of band' },
    })
    expect(await value('twice', 1)).toBe(2)
  })

  it('for want of memory fails its call so', async () => {
    expect(await endsOfLittleMemory('hoards', 'too-large', 'twice')).toMatchObject({
      ends: [
        { kind: 'failed', reason: 'memory', retryable: true, error: { code: 'ALM_TASK_MEMORY' } },
        { kind: 'failed', reason: 'memory', error: { code: 'ALM_TASK_MEMORY' } },
        { kind: 'succeeded', values: { '': 2 } },
      ],
    })
  })

  it('because its call never does: that one has failed, and what waited goes on', async () => {
    await bench.close()
    await open({ threads: 1 })
    // they are known to be short, so that they wait in the thread
    const short = Array.from({ length: 50 }, (_, n) => attempt(spec('twice'), [n]))
    bench.executor.submit(short)
    await Promise.all(short.map(({ id }) => bench.heard.end(id)))
    const stuck = attempt(spec('never'), [], { timeoutMs: 1000 })
    const others = Array.from({ length: 5 }, (_, n) => attempt(spec('twice'), [n]))
    bench.executor.submit([stuck, ...others])
    await bench.heard.until(() => bench.heard.of(stuck.id).started === 1)
    await bench.clock.advance(1000)
    expect(await bench.heard.end(stuck.id)).toMatchObject({ error: { code: 'ALM_TASK_TIMEOUT' } })
    expect(await Promise.all(others.map(({ id }) => bench.heard.end(id)))).toMatchObject(
      others.map((_, n) => ({ values: { '': 2 * n } })),
    )
  })

  it('and what waited behind it was cancelled: that is never executed', async () => {
    await bench.close()
    await open({ threads: 1 })
    const until = join(mkdtempSync(join(tmpdir(), 'stands-')), 'go')
    // it is known to be short, so that others wait behind it
    await bench.run({ task: spec('stands'), inputs: { args: [null] } })
    const stands = attempt(spec('stands'), [until])
    const waits = attempt(spec('stands'), [null], { behind: true })
    bench.executor.submit([stands, waits])
    await bench.clock.settle()
    bench.executor.cancel(waits.id, 600_000)
    expect(await bench.heard.end(waits.id)).toEqual({ kind: 'cancelled' })
    expect(bench.heard.of(stands.id).end).toBeUndefined()
    writeFileSync(until, '')
    expect(await bench.heard.end(stands.id)).toMatchObject({ kind: 'succeeded' })
    rmSync(dirname(until), { recursive: true })
  })

  it('takes nothing down that waited behind an attempt which turns out to be long', async () => {
    const short = Array.from({ length: 50 }, (_, n) => attempt(spec('same'), [n]))
    bench.executor.submit(short)
    await Promise.all(short.map(({ id }) => bench.heard.end(id)))
    const task = spec('never')
    const stuck = attempt(task, [])
    const others = Array.from({ length: 100 }, (_, n) => attempt(spec('same'), [n], { behind: true }))
    bench.executor.submit([stuck, ...others, attempt(spec('same'), [0])])
    await Promise.all(others.map(({ id }) => bench.heard.end(id)))
    // it may be in a thread that is late to begin
    await bench.heard.until(() => bench.heard.of(stuck.id).started === 1)
    expect(bench.heard.of(stuck.id)).toMatchObject({ end: undefined })
    bench.executor.cancel(stuck.id, 0)
    expect(await bench.heard.end(stuck.id)).toEqual({ kind: 'cancelled' })
  })
})
