import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPythonExecutor } from '../../src/executors/python/executor.ts'
import { HeldRef } from '../../src/model/refs.ts'
import type { Value } from '../../src/model/value.ts'
import { PythonBench } from '../../src/testing/executors/python-bench.ts'

/** Data frames of pandas and tables of Arrow, whose columns travel beside what is pickled of them. */

const env = { requirements: fileURLToPath(new URL('tables-requirements.txt', import.meta.url)) }
const file = fileURLToPath(new URL('tables.py', import.meta.url))
let bench: PythonBench

beforeAll(() => {
  bench = new PythonBench((clock, listener) =>
    openPythonExecutor(
      { clock, processes: 2, onProgress: (line) => process.stderr.write(`${line}\n`) },
      listener,
    ),
  )
})
afterAll(() => bench.close())

const task = (name: string) =>
  bench.task(file, name, { body: { kind: 'python', file, function: name, env, threads: 1 } })
const value = (name: string, inputs: Record<string, Value> = {}) => bench.value(task(name), inputs)

it.each([
  ['frame', 'pandas.DataFrame[20000,6]', { station: 'LM' }],
  ['table', 'pyarrow.lib.Table[19993,7]', { station: 'LM' }],
])(
  'a %s that moves to another process keeps its values, and so does its copy on disk',
  async (name, type, station) => {
    const made = await value(name)
    expect(made).toBeInstanceOf(HeldRef)
    const held = made as HeldRef
    expect(held.type).toBe(type)
    const home = await value('where', { it: held })
    const waits = bench.attempt(task('wait'), { path: join(bench.folder, name), it: held })
    bench.executor.submit([waits])
    await bench.heard.until(() => bench.heard.of(waits.id).started === 1)
    const there = await bench.run(task(`same_${name}`), { it: held })
    bench.write(name, '')
    await bench.heard.end(waits.id)
    expect(there).toMatchObject({ kind: 'succeeded', values: { '': { pid: expect.any(Number), station } } })
    expect(there).not.toMatchObject({ values: { '': { pid: home } } })
    const bytes = await bench.executor.persist?.(held.handle)
    bench.executor.release?.([held.handle])
    const again = await bench.executor.restore?.(bytes as Uint8Array, held)
    expect(await value(`same_${name}`, { it: again })).toEqual({ pid: expect.any(Number), station })
  },
)
