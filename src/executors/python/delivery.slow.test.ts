import { expect, test } from 'vitest'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { openPythonExecutor } from './executor.ts'

test('inputs that are more than a text can have are refused, and others go on', async () => {
  const bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes: 1 }, listener))
  const file = bench.write('steps.py', 'def length(value):\n    return len(value)\n')
  const lines = '\n'.repeat(30 * 2 ** 20)
  // a big integer has the inputs sent as a text within a text
  const value = [...Array.from({ length: 6 }, () => lines), 2n ** 70n]
  expect(await bench.failure(bench.task(file, 'length'), { value })).toBe(
    'ALM_VALUE_REFUSED The value at the inputs of length cannot be kept: they have more than 511 MiB as JSON; leave large values in files.',
  )
  expect(await bench.value(bench.task(file, 'length'), { value: [1, 2, 3] })).toBe(3)
  await bench.close()
})
