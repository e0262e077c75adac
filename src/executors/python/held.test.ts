import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { killProcess } from '../../testing/executors/executor-bench.ts'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { patience } from '../../testing/patience.ts'
import { ArrayBudget } from '../array-budget.ts'
import { openPythonExecutor } from './executor.ts'
import { SharedFiles } from './shared-files.ts'

let bench: PythonBench
let file: string

// what NumPy's arrays do when they are pickled, without NumPy
const source = `
import os
import pickle
import time
import weakref


class Array:
    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Array, (pickle.PickleBuffer(self.data),)


def make(size, fill):
    return Array(bytearray([fill]) * size)


def make_many():
    return {"a": [Array(bytearray(b"one")), {"b": Array(bytearray(b"two"))}], "n": 1}


def make_two_outputs():
    return {"x": Array(bytearray(b"x")), "y": [Array(bytearray(b"y"))]}


def make_and_fail():
    return [Array(bytearray(1000)), {1, 2}]


def where(array=None):
    return os.getpid()


def where_of(a, b):
    return os.getpid()


def total(array):
    return [os.getpid(), len(array.data), sum(bytes(array.data)[:1000])]


def add(a, b):
    return Array(bytearray(x + y for x, y in zip(bytes(a.data), bytes(b.data))))


def text(values):
    return [bytes(value.data).decode() for value in values]


def write(array):
    array.data[0] = 1


def keep_part(array):
    return Array(memoryview(array.data)[1:])


def wait_for(path, array):
    while not os.path.exists(path):
        time.sleep(0.005)
    return os.getpid()


class Watched(bytearray):
    # unlike its base it can be referred to weakly
    pass


watched = []


def make_watched():
    data = Watched([5] * 10)
    watched.append(weakref.ref(data))
    return Array(data)


def wait_until_freed():
    while watched[-1]() is not None:
        time.sleep(0.005)


def same(it):
    return it


def die():
    os.kill(os.getpid(), 9)
`

beforeEach(() => {
  bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes: 2 }, listener))
  file = bench.write('steps.py', source)
})
afterEach(() => bench.close())

const task = (name: string) => bench.task(file, name)
const value = (name: string, inputs: Record<string, Value> = {}) => bench.value(task(name), inputs)
const held = async (name: string, inputs: Record<string, Value> = {}): Promise<HeldRef> => {
  const made = await value(name, inputs)
  if (!(made instanceof HeldRef)) throw new Error(`${name} gave no held value`)
  return made
}

const release = (handles: readonly number[]): void => void bench.executor.release?.(handles)

/** Occupies the process that holds a value. */
async function occupy(array: HeldRef): Promise<{ letGo(): Promise<void> }> {
  files += 1
  const name = `go-${files}`
  const waits = bench.attempt(task('wait_for'), { path: `${bench.folder}/${name}`, array })
  bench.executor.submit([waits])
  await bench.heard.until(() => bench.heard.of(waits.id).started === 1)
  return {
    letGo: async () => {
      bench.write(name, '')
      await bench.heard.end(waits.id)
    },
  }
}
let files = 0

const sharedFiles = (): string[] =>
  readdirSync('/dev/shm').filter((name) => name.includes(`-${process.pid}-`) && /-m\d+$/.test(name))

describe('a value with buffers', () => {
  it('stays in its worker, and its consumers go there', async () => {
    const arrays = await Promise.all([1, 2, 3, 4].map((fill) => held('make', { size: 1000, fill })))
    expect(arrays[0]).toMatchObject({
      path: [],
      size: expect.any(Number),
      holder: 'python',
      type: 'steps.Array',
    })
    expect(arrays[0]?.key).toMatch(/^key-/)
    for (const [at, array] of arrays.entries()) {
      expect(await value('total', { array })).toEqual([
        await value('where', { array }),
        1000,
        1000 * (at + 1),
      ])
    }
    expect(sharedFiles()).toEqual([])
  })

  it.each([
    [1000, 1_000_000],
    [1_000_000, 1000],
    [100_000, 100_001],
  ])(
    'of %i and of %i bytes has its consumer where the larger is, when they are in two workers',
    async (a, b) => {
      const one = await held('make', { size: a, fill: 1 })
      const busy = await occupy(one)
      const other = await held('make', { size: b, fill: 2 })
      await busy.letGo()
      const homes = [await value('where', { array: one }), await value('where', { array: other })]
      expect(homes[0]).not.toBe(homes[1])
      const home = a > b ? homes[0] : homes[1]
      expect(await value('where_of', { a: one, b: other })).toBe(home)
      expect(await value('where_of', { a: other, b: one })).toBe(home)
    },
  )

  it('is found anywhere in a result, with the path to it', async () => {
    const made = (await value('make_many')) as { a: [HeldRef, { b: HeldRef }]; n: number }
    expect([made.a[0].path, made.a[1].b.path, made.n]).toEqual([['a', 0], ['a', 1, 'b'], 1])
    expect(await value('text', { values: [made.a[1].b, made.a[0]] })).toEqual(['two', 'one'])
    const end = await bench.run(bench.task(file, 'make_two_outputs', { outputs: { x: 'value', y: 'value' } }))
    const values = end.kind === 'succeeded' ? end.values : {}
    expect([(values['x'] as HeldRef).path, (values['y'] as HeldRef[])[0]?.path]).toEqual([['x'], ['y', 0]])
  })

  it('cannot be changed by its consumers', async () => {
    const array = await held('make', { size: 10, fill: 5 })
    expect(await bench.failure(task('write'), { array })).toContain('cannot modify read-only memory')
    expect(((await value('total', { array })) as number[]).slice(1)).toEqual([10, 50])
  })

  it('is gone when it is released', async () => {
    const array = await held('make', { size: 10, fill: 5 })
    release([array.handle])
    expect(await bench.run(task('total'), { array })).toEqual({
      kind: 'inputs-gone',
      handles: [array.handle],
    })
  })

  it('is not kept where the result is refused after all', async () => {
    expect(await bench.failure(task('make_and_fail'))).toContain('[1]: it is a set')
  })
})

describe('a value that is needed elsewhere', () => {
  it('moves through a shared file while its worker is busy, and the file is used again', async () => {
    const array = await held('make', { size: 3_000_000, fill: 1 })
    const home = await value('where', { array })
    const busy = await occupy(array)
    const [pid, size, sum] = (await value('total', { array })) as number[]
    expect([size, sum]).toEqual([3_000_000, 1000])
    expect(pid).not.toBe(home)
    expect(sharedFiles()).toHaveLength(1)
    release([array.handle])
    expect(sharedFiles()).toHaveLength(1)
    await busy.letGo()
    const next = await held('make', { size: 3_000_000, fill: 2 })
    await occupy(next)
    expect((await value('total', { array: next })) as number[]).toEqual([
      pid === home ? home : expect.any(Number),
      3_000_000,
      2000,
    ])
    expect(sharedFiles()).toHaveLength(1)
  })

  it('joins values of two workers, whose sum is right', async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, n) => held('make', { size: 100_000, fill: n + 1 })),
    )
    let level = made
    while (level.length > 1) {
      const pairs = Array.from(
        { length: level.length / 2 },
        (_, at) => [level[2 * at], level[2 * at + 1]] as const,
      )
      const next = await Promise.all(pairs.map(([a, b]) => held('add', { a, b })))
      release(level.map((ref) => ref.handle))
      level = next
    }
    expect(((await value('total', { array: level[0] })) as number[]).slice(1)).toEqual([100_000, 36_000])
  })

  it('keeps the shared file as long as something is made of it', async () => {
    const array = await held('make', { size: 100_000, fill: 3 })
    const busy = await occupy(array)
    const kept = await held('keep_part', { array })
    await busy.letGo()
    release([array.handle])
    // another value moves meanwhile, and must not take that file
    const other = await held('make', { size: 100_000, fill: 9 })
    await occupy(other)
    expect(((await value('total', { array: other })) as number[]).slice(1)).toEqual([100_000, 9000])
    expect(((await value('total', { array: kept })) as number[]).slice(1)).toEqual([99_999, 3000])
  })
})

describe('a value that is released while an attempt that was sent with it waits', () => {
  it('is told to be gone, and is no error of the task', async () => {
    await bench.close()
    bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes: 1 }, listener))
    file = bench.write('steps.py', source)
    const array = await held('make_watched')
    const inThreads = (name: string) => bench.task(file, name, { threads: 2 })
    const busy = [1, 2].map(() => bench.attempt(inThreads('wait_until_freed'), {}))
    bench.executor.submit(busy)
    for (const { id } of busy) await bench.heard.until(() => bench.heard.of(id).started === 1)
    const attempt = bench.attempt(inThreads('total'), { array })
    bench.executor.submit([attempt])
    await new Promise((resolve) => setImmediate(resolve))
    release([array.handle])
    expect(await bench.heard.end(attempt.id)).toEqual({ kind: 'inputs-gone', handles: [array.handle] })
  })
})

describe('a value whose worker dies', () => {
  it('is told to be lost, and attempts that need it end without having begun', async () => {
    const array = await held('make', { size: 10, fill: 1 })
    const pid = (await value('where', { array })) as number
    killProcess(pid)
    expect(await bench.lost).toEqual([array.handle])
    const attempt = bench.attempt(task('total'), { array })
    bench.executor.submit([attempt])
    expect(await bench.heard.end(attempt.id)).toEqual({ kind: 'inputs-gone', handles: [array.handle] })
    expect(bench.heard.of(attempt.id).started).toBe(0)
    expect(await value('where')).toEqual(expect.any(Number))
  })
})

describe('a value that is to be kept', () => {
  it('is given as bytes, and is the same when it is restored', async () => {
    const array = await held('make', { size: 100_000, fill: 2 })
    const bytes = await bench.executor.persist?.(array.handle)
    expect(bytes?.length).toBeGreaterThan(100_000)
    release([array.handle])
    const again = await bench.executor.restore?.(bytes as Uint8Array, array)
    expect(again).toMatchObject({ key: array.key, path: array.path, type: array.type, size: array.size })
    expect(((await value('total', { array: again })) as number[]).slice(1)).toEqual([100_000, 2000])
    const twice = await bench.executor.persist?.(again?.handle ?? 0)
    expect(Buffer.compare(twice as Uint8Array, bytes as Uint8Array)).toBe(0)
  })

  it('is told to be gone where it is', async () => {
    const array = await held('make', { size: 10, fill: 2 })
    release([array.handle])
    expect(await bench.executor.persist?.(array.handle)).toBeUndefined()
  })
})

describe('more than workers may hold', () => {
  const spilled = (): string[] => readdirSync(tmpdir()).filter((name) => isSpilled(name))

  beforeEach(async () => {
    await bench.close()
    bench = new PythonBench((clock, listener) =>
      openPythonExecutor({ clock, processes: 2, arrays: new ArrayBudget(250_000) }, listener),
    )
    file = bench.write('steps.py', source)
  })

  it('goes to disk and comes back unnoticed, what came first before the rest', async () => {
    const arrays: HeldRef[] = []
    for (let fill = 1; fill <= 6; fill++) arrays.push(await held('make', { size: 100_000, fill }))
    await vi.waitFor(() => expect(spilled()).toHaveLength(4), patience)
    const totals = await Promise.all(arrays.map((array) => value('total', { array })))
    expect(totals.map((total) => (total as number[]).slice(1))).toEqual(
      arrays.map((_, index) => [100_000, (index + 1) * 1000]),
    )
    const [first, last] = [arrays[0], arrays[5]]
    const sum = await held('add', { a: first, b: last })
    expect((await value('total', { array: sum })) as number[]).toContain(7000)
    release([...arrays, sum].map(({ handle }) => handle))
    // a process tells of the end of a mapping with what it says next
    await value('where')
    await vi.waitFor(() => expect(spilled()).toEqual([]), patience)
  })

  it('is kept from the disk as if it were in a worker', async () => {
    const array = await held('make', { size: 100_000, fill: 1 })
    const before = await bench.executor.persist?.(array.handle)
    const others: HeldRef[] = []
    for (let fill = 2; fill <= 4; fill++) others.push(await held('make', { size: 100_000, fill }))
    await vi.waitFor(() => expect(spilled()).toHaveLength(2), patience)
    expect(
      Buffer.compare((await bench.executor.persist?.(array.handle)) as Uint8Array, before as Uint8Array),
    ).toBe(0)
    release([array, ...others].map(({ handle }) => handle))
    await vi.waitFor(() => expect(spilled()).toEqual([]), patience)
  })
})

describe('shared memory that is full', () => {
  it('is not used: values pass through the directory for temporary files', async () => {
    await bench.close()
    const [full, spare] = [join(tmpdir(), `full-${process.pid}`), join(tmpdir(), `spare-${process.pid}`)]
    for (const folder of [full, spare]) mkdirSync(folder)
    try {
      bench = new PythonBench((clock, listener) => {
        // the names that files will have: that of the one before, counted on
        const before = basename(new SharedFiles(full, spare).prefix).split('-')
        const name = [...before.slice(0, -1), Number(before.at(-1)) + 1].join('-')
        for (let n = 1; n <= 20; n++) {
          for (const kind of ['m', 'w1-b', 'w2-b'])
            symlinkSync('/dev/full', join(full, `${name}-${kind}${n}`))
        }
        return openPythonExecutor({ clock, processes: 2, places: [full, spare] }, listener)
      })
      file = bench.write('steps.py', source)
      const a = await held('make', { size: 1_000_000, fill: 1 })
      const busy = await occupy(a)
      // it has to move
      const b = await held('add', { a, b: a })
      await busy.letGo()
      expect(((await value('total', { array: b })) as number[]).slice(1)).toEqual([1_000_000, 2000])
      const bytes = new Uint8Array(3_000_000).fill(7)
      expect(Buffer.compare((await value('same', { it: bytes })) as Uint8Array, bytes)).toBe(0)
      const kept = await bench.executor.persist?.(b.handle)
      const again = await bench.executor.restore?.(kept as Uint8Array, b)
      expect(((await value('total', { array: again })) as number[]).slice(1)).toEqual([1_000_000, 2000])
      expect(readdirSync(spare).length).toBeGreaterThan(0)
      await bench.close()
      expect([readdirSync(full).filter((one) => !/-(m|w\d-b)\d+$/.test(one)), readdirSync(spare)]).toEqual([
        [],
        [],
      ])
    } finally {
      for (const folder of [full, spare]) rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('the directory for temporary files and shared memory, both full', () => {
  it('are named with what is free there, how much was to be written, and what helps', async () => {
    await bench.close()
    const nowhere = join(tmpdir(), `nowhere-${process.pid}`)
    const place = join(tmpdir(), `place-${process.pid}`)
    mkdirSync(place)
    try {
      bench = new PythonBench((clock, listener) =>
        openPythonExecutor({ clock, processes: 2, places: [nowhere, place] }, listener),
      )
      file = bench.write('steps.py', source)
      // its files are there by then
      expect(await value('where')).toEqual(expect.any(Number))
      rmSync(place, { recursive: true })
      const end = await bench.run(task('same'), { it: new Uint8Array(3_000_000) })
      expect(end).toMatchObject({
        kind: 'failed',
        error: {
          code: 'ALM_STORE_FAILED',
          message: expect.stringMatching(
            /nowhere-\d+ \(cannot be read\) and .*place-\d+ \(cannot be read\): a value of 2\.9 MiB cannot be written there: ENOENT.*; make room there, or set TMPDIR to a directory that has some\.$/,
          ),
        },
        retryable: true,
      })
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  })
})

const isSpilled = (name: string): boolean =>
  name.startsWith('almanac-') && /-\d+-s-d\d+$/.test(name) && name.includes(`-${process.pid}-`)
