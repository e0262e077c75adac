import { type Workflow, type WorkflowDefinition, workflowOf } from '../flow/workflow.ts'
import { AlmanacError } from '../model/errors.ts'

/** The default export, or the only workflow. @throws ALM_NO_WORKFLOW, ALM_USAGE */
export function onlyWorkflow(
  file: string,
  exports: Readonly<Record<string, unknown>>,
): Workflow<unknown, unknown> {
  const isWorkflow = (value: unknown): value is Workflow<unknown, unknown> => workflowOf(value) !== undefined
  if (isWorkflow(exports['default'])) return exports['default']
  const found = Object.entries(exports).filter(([, value]) => isWorkflow(value))
  const [only] = found
  if (only === undefined) throw new AlmanacError('ALM_NO_WORKFLOW', { file })
  if (found.length === 1) return only[1] as Workflow<unknown, unknown>
  const names = found.map(([name]) => name).join(', ')
  throw new AlmanacError('ALM_USAGE', {
    why: `${file} exports several workflows (${names}) and none by default`,
  })
}

/** What `workflow(…)` was given. @throws ALM_USAGE */
export function definitionOf(workflow: unknown): WorkflowDefinition {
  const definition = workflowOf(workflow)
  if (definition === undefined)
    throw new AlmanacError('ALM_USAGE', { why: 'a workflow is needed: what workflow(…) gives' })
  return definition
}
