import { AlmanacError } from '../model/errors.ts'
import { type Workflow, type WorkflowDefinition, workflowOf } from './workflow.ts'

/** Which of a file's workflows is meant. */
export interface WorkflowChoice {
  /** by the name of its export, or its own: refused if there is none */
  readonly named?: string
  /** its own name: taken where several come into question */
  readonly rather?: string
}

/** The one that is named, the default export, or the only workflow. @throws ALM_NO_WORKFLOW, ALM_USAGE */
export function chosenWorkflow(
  file: string,
  exports: Readonly<Record<string, unknown>>,
  { named, rather }: WorkflowChoice = {},
): Workflow<unknown, unknown> {
  const found = Object.entries(exports).flatMap(([name, value]) => {
    const definition = workflowOf(value)
    return definition === undefined
      ? []
      : [{ name, own: definition.name, workflow: value as Workflow<unknown, unknown> }]
  })
  const [first] = found
  if (first === undefined) throw new AlmanacError('ALM_NO_WORKFLOW', { file })
  // a person knows a default export, and a function in Python, by its own name
  const names = found.map(({ name, own }) => (name === 'default' ? own : name)).join(', ')
  if (named !== undefined) {
    const meant = found.find(({ name }) => name === named) ?? found.find(({ own }) => own === named)
    if (meant === undefined)
      throw new AlmanacError('ALM_USAGE', { why: `${file} exports no workflow ${named}; it has ${names}` })
    return meant.workflow
  }
  const meant =
    found.find(({ own }) => own === rather) ??
    found.find(({ name }) => name === 'default') ??
    (found.length === 1 ? first : undefined)
  if (meant !== undefined) return meant.workflow
  throw new AlmanacError('ALM_USAGE', {
    why: `${file} exports several workflows and none by default: write ${file}:NAME, one of ${names}`,
  })
}

/** What `workflow(…)` was given. @throws ALM_USAGE */
export function definitionOf(workflow: unknown): WorkflowDefinition {
  const definition = workflowOf(workflow)
  if (definition === undefined)
    throw new AlmanacError('ALM_USAGE', { why: 'a workflow is needed: what workflow(…) gives' })
  return definition
}
