import { fileURLToPath } from 'node:url'
import type { ScriptLanguage, TaskSpec } from '../../model/task.ts'
import { taskSpec } from '../../testing/attempts.ts'
import { executorContract } from '../../testing/executor-contract.ts'
import { openScriptExecutor } from './executor.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const script = (lang: ScriptLanguage, source: string): TaskSpec =>
  taskSpec('puppet', { kind: 'script', lang, source, exitCodes: { retry: [] } })

executorContract({
  name: 'script',
  open: openScriptExecutor,
  hosted: { module: path('executor.ts'), open: 'openScriptExecutor', options: {} },
  puppet: (control, token) => ({
    task: script('node', `import(${JSON.stringify(path('../../testing/puppet-program.ts'))})`),
    inputs: { control, token },
  }),
  instant: (value) => ({ task: script('sh', `echo ${value} > "$ALMANAC_RESULT"`), inputs: {} }),
  traits: { processes: 'own', killed: 'failed', grace: true },
})
