import { fileURLToPath } from 'node:url'
import type { TaskSpec } from '../../model/task.ts'
import { executorContract } from '../../testing/contracts/executor-contract.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openCommandExecutor } from './executor.ts'

const module = fileURLToPath(new URL('./executor.ts', import.meta.url))
const puppet = fileURLToPath(new URL('../../testing/executors/puppet-program.ts', import.meta.url))
const command = (...run: string[]): TaskSpec =>
  taskSpec('puppet', { kind: 'command', run, exitCodes: { retry: [] } })

executorContract({
  name: 'command',
  open: openCommandExecutor,
  hosted: { module, open: 'openCommandExecutor', options: {} },
  puppet: (control, token) => ({
    task: command(process.execPath, puppet, '{params.control}', '{params.token}'),
    inputs: { control, token },
  }),
  instant: (value) => ({
    task: command('sh', '-c', 'echo $0 > "$ALMANAC_RESULT"', '{params.value}'),
    inputs: { value },
  }),
  traits: { processes: 'own', killed: 'failed', grace: true },
})
