import { fileURLToPath } from 'node:url'
import type { ScriptLanguage, TaskSpec } from '../../model/task.ts'
import { executorContract } from '../../testing/contracts/executor-contract.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openScriptExecutor } from './executor.ts'

const module = fileURLToPath(new URL('./executor.ts', import.meta.url))
const puppet = fileURLToPath(new URL('../../testing/executors/puppet-program.ts', import.meta.url))
const script = (lang: ScriptLanguage, source: string): TaskSpec =>
  taskSpec('puppet', { kind: 'script', lang, source, exitCodes: { retry: [] } })

executorContract({
  name: 'script',
  open: openScriptExecutor,
  hosted: { module, open: 'openScriptExecutor', options: {} },
  puppet: (control, token) => ({
    task: script('node', `import(${JSON.stringify(puppet)})`),
    inputs: { control, token },
  }),
  instant: (value) => ({ task: script('sh', `echo ${value} > "$ALMANAC_RESULT"`), inputs: {} }),
  batch: 100,
  traits: { processes: 'own', killed: 'failed', grace: true },
})
