import { fileURLToPath } from 'node:url'
import { executorContract } from '../../testing/contracts/executor-contract.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openThreadExecutor } from './executor.ts'

const at = [`${new URL('../../../test/threads/puppet.ts', import.meta.url).href}:1:1`]
const program = new URL('../../wiring/thread.ts', import.meta.url)
const puppet = taskSpec('puppet', { kind: 'thread', name: 'puppet', at, threads: 1 })
const instant = taskSpec('instant', { kind: 'thread', name: 'instant', at, threads: 1 })

executorContract({
  name: 'threads',
  open: (options, listener) => openThreadExecutor({ ...options, program, threads: 4 }, listener),
  hosted: {
    module: fileURLToPath(new URL('executor.ts', import.meta.url)),
    open: 'openThreadExecutor',
    options: { program: program.href, threads: 4 },
  },
  puppet: (control, token) => ({ task: puppet, inputs: { args: [control, token] } }),
  instant: (value) => ({ task: instant, inputs: { args: [value] } }),
  traits: { processes: 'none', grace: true },
})
