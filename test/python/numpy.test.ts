import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPythonExecutor } from '../../src/executors/python/executor.ts'
import { HeldRef } from '../../src/model/refs.ts'
import type { Value } from '../../src/model/value.ts'
import { PythonBench } from '../../src/testing/executors/python-bench.ts'

/** Real arrays, in an environment that is made as a user's is, and kept for the next time as a user's is. */

const env = { requirements: fileURLToPath(new URL('requirements.txt', import.meta.url)) }
const file = fileURLToPath(new URL('steps.py', import.meta.url))
let bench: PythonBench

beforeAll(async () => {
  bench = new PythonBench((clock, listener) =>
    openPythonExecutor(
      { clock, processes: 2, onProgress: (line) => process.stderr.write(`${line}\n`) },
      listener,
    ),
  )
  await value('ramp', { size: 1 })
})
afterAll(() => bench.close())

const task = (name: string) =>
  bench.task(file, name, { body: { kind: 'python', file, function: name, env, threads: 1 } })
const value = (name: string, inputs: Record<string, Value> = {}) => bench.value(task(name), inputs)
const array = (name: string, inputs: Record<string, Value> = {}) => value(name, inputs) as Promise<HeldRef>

/** Occupies the process that holds an array until `letGo`. */
async function occupy(held: HeldRef, name: string): Promise<() => void> {
  const waits = bench.attempt(task('wait'), { path: join(bench.folder, name), array: held })
  bench.executor.submit([waits])
  await bench.heard.until(() => bench.heard.of(waits.id).started === 1)
  return () => void bench.write(name, '')
}

describe('NumPy', () => {
  it('scalars become plain values, arrays stay where they are', async () => {
    expect(await value('many')).toEqual({
      int: 3,
      float: 1.5,
      nan: Number.NaN,
      bool: true,
      text: 'text',
      time: new Date('2026-01-02T03:04:05.678Z'),
      day: new Date('2026-01-02T00:00:00.000Z'),
      list: [1, 2],
      array: expect.any(HeldRef),
    })
    expect(await array('ramp', { size: 1000 })).toMatchObject({ type: 'float64[1000]', size: 8000, path: [] })
  })

  it.each([
    ['nat', 'at [0]: it is no time (NaT), or one outside the years 1 to 9999'],
    ['delta', 'at (the value itself): it is a timedelta64'],
    [
      'complex',
      'at (the value itself): it is a complex number: return its parts, [z.real, z.imag], or an array',
    ],
    ['long', 'at (the value itself): it is a longdouble with more digits than a float has'],
    [
      'lock',
      "at (the value itself): it is an instance of numpy.ndarray whose element [1] cannot be serialised, a lock: TypeError: cannot pickle '_thread.lock' object",
    ],
  ])('values that cannot be kept are refused: %s', async (kind, why) => {
    expect(await bench.failure(task('refused'), { kind })).toContain(why)
  })

  it('arrays are read only for their consumers', async () => {
    const held = await array('ramp', { size: 10 })
    expect(await bench.failure(task('change'), { array: held })).toContain(
      'assignment destination is read-only',
    )
    expect(await value('total', { array: held })).toMatchObject({ sum: 45, writable: false })
  })

  it('arrays are what they were for other consumers, whatever one of them sets', async () => {
    const held = await array('ramp', { size: 10 })
    expect(await value('change_in_place', { array: held, how: 'shape' })).toBe(null)
    expect(await value('change_in_place', { array: held, how: 'dtype' })).toBe(null)
    expect(await bench.failure(task('change_in_place'), { array: held, how: 'writeable' })).toContain(
      'cannot set WRITEABLE flag to True',
    )
    const numbers = '[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]'
    expect(await value('describe', { arrays: { held } })).toEqual({
      held: ['ndarray', 'float64', [10], numbers],
    })
  })

  it('a small view of a large array does not keep it', async () => {
    expect(await array('view_of_much')).toMatchObject({ size: 80, type: 'float64[10]' })
  })

  it('arrays move by shared memory when their process is busy, whatever their form', async () => {
    const made = (await value('odd_arrays')) as Record<string, HeldRef>
    const there = await value('describe', { arrays: made })
    const letGo = await occupy(made['fortran'] as HeldRef, 'odd')
    expect(await value('describe', { arrays: made })).toEqual(there)
    letGo()
    expect(there).toEqual({
      fortran: ['ndarray', 'int64', [2, 3], '[[0, 1, 2], [3, 4, 5]]'],
      strided: ['ndarray', 'int64', [5], '[0, 2, 4, 6, 8]'],
      objects: ['ndarray', 'object', [3], "[1, 'two', None]"],
      structured: ['ndarray', "[('a', '<i4'), ('b', '<f8')]", [1], '[(1, 2.5)]'],
      long: ['ndarray', `[('${'field'.repeat(20)}`.slice(0, 40), [1], `[(${'0.0, '.repeat(899)}0.0)]`],
      unicode: ['ndarray', "[('größe', '<f4'), ('長さ', '<f8')]", [1], '[(0.0, 0.0)]'],
      empty: ['ndarray', 'float64', [0, 3], '[]'],
      masked: ['MaskedArray', 'int64', [3], '[1, None, 3]'],
      scalar: ['ndarray', 'float64', [], '5.0'],
    })
  })

  it('a tree of sums over two processes is right, and no shared file outlives its values', async () => {
    const size = 100_000
    let level = await Promise.all(Array.from({ length: 16 }, (_, start) => array('ramp', { size, start })))
    while (level.length > 1) {
      const pairs = Array.from(
        { length: level.length / 2 },
        (_, at) => [level[2 * at], level[2 * at + 1]] as const,
      )
      const next = await Promise.all(pairs.map(([a, b]) => array('add', { a, b })))
      bench.executor.release?.(level.map((ref) => ref.handle))
      level = next
    }
    const expected = Array.from({ length: 16 }, (_, start) => size * start + (size * (size - 1)) / 2)
    expect(await value('total', { array: level[0] })).toMatchObject({ sum: expected.reduce((a, b) => a + b) })
  })

  it('arrays are kept as .npy, and restored without reading them twice', async () => {
    const held = await array('ramp', { size: 1000 })
    const bytes = await bench.executor.persist?.(held.handle)
    expect(Buffer.from(bytes ?? []).toString('latin1', 1, 6)).toBe('NUMPY')
    bench.executor.release?.([held.handle])
    const again = await bench.executor.restore?.(bytes as Uint8Array, held)
    expect(await value('total', { array: again })).toMatchObject({
      sum: 499_500,
      writable: false,
      dtype: 'float64',
    })
    const odd = (await value('odd_arrays')) as Record<string, HeldRef>
    const before = await value('describe', { arrays: odd })
    const kept = await Promise.all(
      Object.entries(odd).map(async ([name, ref]) => {
        const stored = await bench.executor.persist?.(ref.handle)
        return [name, await bench.executor.restore?.(stored as Uint8Array, ref)] as const
      }),
    )
    expect(await value('describe', { arrays: Object.fromEntries(kept) as Record<string, Value> })).toEqual(
      before,
    )
  })

  it('nothing is left in shared memory when the executor is closed', async () => {
    await bench.executor.close()
    expect(readdirSync('/dev/shm').filter((name) => name.includes(`-${process.pid}-`))).toEqual([])
  })
})
