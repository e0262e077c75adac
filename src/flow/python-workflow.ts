import { AlmanacError } from '../model/errors.ts'
import { requireCaller } from './ambient.ts'
import { callSite } from './call-site.ts'
import { chosenWorkflow, definitionOf } from './chosen-workflow.ts'
import { checkNames, type OptionNames } from './option-names.ts'
import { resolveFromCaller } from './resolve-from-caller.ts'
import {
  childFunction,
  definedWorkflow,
  type Workflow,
  type WorkflowInput,
  type WorkflowOptions,
  type WorkflowOutput,
  workflowSchema,
} from './workflow.ts'

/** What a workflow in Python takes and gives, for TypeScript to know: it is checked on both sides. */
export type PythonWorkflowOptions = Pick<WorkflowOptions, 'input' | 'output'>

const optionNames: OptionNames<PythonWorkflowOptions> = { input: true, output: true }

/**
 * A workflow of a Python file, called as a child by its inputs' names: `python.workflow('flow.py:survey')`; without a
 * name the file's `main`, or its only one. The file is relative to the one that says so. What its annotations do not
 * allow is refused when it is called.
 *
 * @throws ALM_OPTION_REFUSED
 */
export function pythonWorkflow<const O extends PythonWorkflowOptions>(
  run: string,
  options: O,
): Workflow<WorkflowInput<O>, WorkflowOutput<O, unknown>>
export function pythonWorkflow<I = Readonly<Record<string, unknown>> | undefined, R = unknown>(
  run: string,
): Workflow<I, R>
export function pythonWorkflow(run: string, options: PythonWorkflowOptions = {}): unknown {
  const match = /^(.+\.py)(?::([\p{L}_][\p{L}\p{N}_]*))?$/u.exec(run)
  const file = match?.[1]
  if (file === undefined)
    throw new AlmanacError('ALM_OPTION_REFUSED', {
      option: 'run',
      task: run,
      why: "it is not like 'flow.py' or 'flow.py:workflow'",
    })
  const named = match?.[2]
  checkNames(run, options, optionNames)
  const path = resolveFromCaller(file)
  return definedWorkflow({
    name: named ?? 'main',
    fn: async (input: never) => {
      const { remote } = requireCaller(`workflow ${run}`)
      const { exports } = await remote.load(path)
      const choice = named === undefined ? {} : { named }
      const definition = definitionOf(chosenWorkflow(path, exports, choice))
      remote.declare(definition.limits)
      return childFunction(definition)(input)
    },
    input: workflowSchema(options.input),
    output: workflowSchema(options.output),
    limits: [],
    definedAt: callSite(),
    from: { file: path, ...(named !== undefined && { named }) },
  })
}
