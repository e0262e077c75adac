import { fileURLToPath } from 'node:url'
import type { ScriptLanguage, TaskSpec } from '../../model/task.ts'
import { taskSpec } from '../../testing/attempts.ts'
import { executorContract } from '../../testing/executor-contract.ts'
import { openScriptExecutor } from './executor.ts'

const module = fileURLToPath(new URL('./executor.ts', import.meta.url))
const puppet = fileURLToPath(new URL('../../testing/puppet-program.ts', import.meta.url))
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
