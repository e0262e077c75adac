import { fileURLToPath } from 'node:url'
import type { Attempt } from '../../ports/executor.ts'
import { executorContract } from '../../testing/contracts/executor-contract.ts'
import { inlinePuppet } from '../../testing/executors/puppet-inline.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openInlineExecutor } from './executor.ts'

const task = taskSpec('puppet', { kind: 'function', name: 'puppet' })
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

executorContract({
  name: 'inline',
  // puppets that are let go fail after their end; nor is it their doing where the machine stands still for a moment
  open: (options, listener) =>
    openInlineExecutor({ ...options, warn: () => undefined, blockedMs: Number.POSITIVE_INFINITY }, listener),
  hosted: {
    module: path('executor.ts'),
    open: 'openInlineExecutor',
    options: {},
    fn: { module: path('../../testing/executors/puppet-inline.ts'), name: 'inlinePuppet' },
  },
  puppet: (control, token) => ({
    task,
    inputs: { args: [control, token] },
    fn: inlinePuppet as NonNullable<Attempt['fn']>,
  }),
  instant: (value) => ({ task, inputs: { args: [value] }, fn: (n: number) => n }),
  traits: { processes: 'none', grace: true },
})
