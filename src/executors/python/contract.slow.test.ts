import { fileURLToPath } from 'node:url'
import { executorContract } from '../../testing/contracts/executor-contract.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openPythonExecutor } from './executor.ts'

const file = fileURLToPath(new URL('../../../python/tests/puppet.py', import.meta.url))
const puppet = taskSpec('puppet', { kind: 'python', file, function: 'puppet', threads: 1 })
const instant = taskSpec('instant', { kind: 'python', file, function: 'instant', threads: 1 })

executorContract({
  name: 'python',
  open: (options, listener) => openPythonExecutor({ ...options, processes: 4 }, listener),
  hosted: {
    module: fileURLToPath(new URL('executor.ts', import.meta.url)),
    open: 'openPythonExecutor',
    options: { processes: 4 },
  },
  puppet: (control, token) => ({ task: puppet, inputs: { control, token } }),
  instant: (value) => ({ task: instant, inputs: { value } }),
  traits: { processes: 'shared', killed: 'lost', grace: true },
})
