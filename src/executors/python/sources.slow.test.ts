import { mkdirSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { openPythonExecutor } from './executor.ts'

let bench: PythonBench

beforeEach(() => {
  bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes: 1 }, listener))
})
afterEach(() => bench.close())

const value = (file: string, name = 'f', more = {}) => bench.value(bench.task(file, name, more))

describe('modules of the author', () => {
  it('are found next to the file of the task, and those of two directories never meet', async () => {
    const one = bench.write('one/steps.py', 'import helper\n\ndef f():\n    return helper.name\n')
    bench.write('one/helper.py', "name = 'first'\n")
    const two = bench.write('two/steps.py', 'import helper\n\ndef f():\n    return helper.name\n')
    bench.write('two/helper.py', "name = 'second'\n")
    expect([await value(one), await value(two), await value(one)]).toEqual(['first', 'second', 'first'])
  })

  it('are imported as others import them, where the file of the task is in a package', async () => {
    const file = bench.write(
      'src/pkg/deep/steps.py',
      'import json\nfrom pkg.units import METRE\nfrom ..units import MILE\nfrom . import near\nfrom pkg.deep import far\n\ndef f():\n    return [__name__, METRE, MILE, near.x, far.x, json.dumps([])]\n',
    )
    for (const name of ['pkg/__init__.py', 'pkg/deep/__init__.py']) bench.write(`src/${name}`, '')
    bench.write('src/pkg/units.py', 'METRE = 1\nMILE = 1609\n')
    bench.write('src/pkg/deep/near.py', 'x = 2\n')
    bench.write('src/pkg/deep/far.py', 'x = 3\n')
    bench.write('src/pkg/deep/json.py', '1 / 0\n')
    expect(await value(file)).toEqual(['pkg.deep.steps', 1, 1609, 2, 3, '[]'])
  })

  it('may be packages, may import the file of the task, and leave nothing beside it', async () => {
    const file = bench.write(
      'src/steps.py',
      'from pkg.inner import g\n\ndef f():\n    return g()\n\ndef h():\n    return 7\n',
    )
    bench.write('src/pkg/__init__.py', '')
    bench.write(
      'src/pkg/inner.py',
      'from .deeper import x\n\ndef g():\n    import steps\n    return [x, steps.h()]\n',
    )
    bench.write('src/pkg/deeper.py', 'x = 1\n')
    expect(await value(file)).toEqual([1, 7])
    expect(readdirSync(join(bench.folder, 'src/pkg')).sort()).toEqual([
      '__init__.py',
      'deeper.py',
      'inner.py',
    ])
  })

  it('may have the name of a module of Python, and any name that a file can have', async () => {
    const json = bench.write('json.py', 'import collections\n\ndef f():\n    return __name__\n')
    expect(await value(json)).toBe('almanac_task_json')
    const odd = bench.write('my steps-2 ü.py', 'def f():\n    return 2\n')
    expect(await value(odd)).toBe(2)
  })

  it('share one process and its state', async () => {
    const file = bench.write(
      'steps.py',
      'import os\n\nseen = []\n\ndef f():\n    seen.append(1)\n    return [os.getpid(), len(seen)]\n',
    )
    const [first, second] = [await value(file), await value(file)] as [number[], number[]]
    expect(second).toEqual([first[0], 2])
  })

  it('may start processes of multiprocessing', async () => {
    const file = bench.write(
      'pool.py',
      'import multiprocessing\n\ndef square(x):\n    return x * x\n\ndef f():\n' +
        '    with multiprocessing.get_context("spawn").Pool(2) as pool:\n        return pool.map(square, [1, 2, 3])\n',
    )
    expect(await value(file)).toEqual([1, 4, 9])
  })
})

describe('a source that changes between two tasks', () => {
  it('is loaded anew, though it has the same size and, coarsely, the same time', async () => {
    for (let n = 0; n < 5; n++) {
      const file = bench.write('steps.py', `def f():\n    return ${n}\n`)
      utimesSync(file, 1000, 1000)
      expect(await value(file)).toBe(n)
    }
  })

  it('may be one that the task only imports, within a function, from a package', async () => {
    const file = bench.write('steps.py', 'def f():\n    from lib.table import rows\n    return rows\n')
    bench.write('lib/__init__.py', '')
    bench.write('lib/table.py', 'rows = [1]\n')
    expect(await value(file)).toEqual([1])
    bench.write('lib/table.py', 'rows = [2]\n')
    expect(await value(file)).toEqual([2])
  })

  it('may be a file that the task says its code reads, even if it was read while it was loaded', async () => {
    const table = bench.write('data/table.txt', 'old')
    const file = bench.write(
      'steps.py',
      `TABLE = open(${JSON.stringify(table)}).read()\n\ndef f():\n    return TABLE\n`,
    )
    expect(await value(file, 'f', { reads: [table] })).toBe('old')
    bench.write('data/table.txt', 'new')
    expect(await value(file, 'f', { reads: [table] })).toBe('new')
  })

  it('may vanish, be a directory, or come back', async () => {
    const file = bench.write('steps.py', 'def f():\n    return 1\n')
    expect(await value(file)).toBe(1)
    renameSync(file, `${file}.away`)
    expect(await bench.failure(bench.task(file, 'f'))).toContain('does not exist')
    mkdirSync(file)
    expect(await bench.failure(bench.task(file, 'f'))).toContain('does not exist')
    rmSync(file, { recursive: true })
    renameSync(`${file}.away`, file)
    expect(await value(file)).toBe(1)
  })

  it('costs nothing where only its time changed', async () => {
    const file = bench.write('steps.py', 'import os\n\ndef f():\n    return os.getpid()\n')
    const pid = await value(file)
    utimesSync(file, 5000, 5000)
    expect(await value(file)).toBe(pid)
  })

  it('is not missed by a batch that waits', async () => {
    const file = bench.write('steps.py', 'def f(n):\n    return [n, "old"]\n')
    await bench.value(bench.task(file, 'f'), { n: 0 })
    bench.write('steps.py', 'def f(n):\n    return [n, "new"]\n')
    const attempts = Array.from({ length: 50 }, (_, n) => bench.attempt(bench.task(file, 'f'), { n }))
    bench.executor.submit(attempts)
    const ends = await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
    expect(ends.map((end) => end.kind === 'succeeded' && end.values[''])).toEqual(
      attempts.map((_, n) => [n, 'new']),
    )
  })
})
