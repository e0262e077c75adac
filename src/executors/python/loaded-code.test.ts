import { afterEach, beforeEach, expect, it } from 'vitest'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { openPythonExecutor } from './executor.ts'

let bench: PythonBench

const source = `
def same(n):
    return n


def more(n):
    import other
    return other.plus(n)
`

beforeEach(() => {
  bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes: 1 }, listener))
})
afterEach(() => bench.close())

it('tells with results whether their process has loaded code since the last one', async () => {
  const file = bench.write('steps.py', source)
  bench.write('other.py', 'def plus(n):\n    return n + 1\n')
  const codes: unknown[] = []
  for (const name of ['same', 'same', 'more', 'more', 'same']) {
    const end = await bench.run(bench.task(file, name), { n: 1 })
    codes.push(end.kind === 'succeeded' && end.code)
  }
  const numbered = codes.map((code) => codes.indexOf(code))
  expect(codes.map((code) => typeof code)).toEqual(codes.map(() => 'object'))
  expect(numbered).toEqual([0, 0, 2, 2, 2])
})
