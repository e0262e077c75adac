import type { StandardSchemaV1 } from '@standard-schema/spec'
import { AlmanacError } from '../model/errors.ts'
import type { OutputKind, TaskBody, TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { CallRequest } from '../ports/caller.ts'
import { issuesText } from '../util/issues.ts'
import { currentCaller } from './ambient.ts'
import { callSite } from './call-site.ts'
import { isDocument } from './document.ts'
import { reservedNames } from './future.ts'
import { checkNames } from './option-names.ts'
import { policyOf, type TaskOptions } from './options.ts'
import { resolveFromCaller } from './resolve-from-caller.ts'
import { fileNameOf, kindOf, type Shape } from './schema.ts'

/** A task as it was defined: what its calls share. */
export interface TaskDefinition {
  readonly spec: TaskSpec
  readonly request: CallRequest
  readonly input: Shape | undefined
  readonly output: Shape | undefined
  /** of a function: where a module defined it, as Node runs that */
  readonly at: readonly string[]
  /** documents that its calls get, by name */
  readonly context: TaskOptions['context']
}

/**
 * State that all modules share, and the only one here. A module that is loaded calls `task(…)` with nothing of ours in
 * its hands, and what it does not export is found by no look at the module: whoever wants its tasks must be told as
 * they are defined. Only the program of a worker thread does, before it loads anything. Elsewhere nobody listens.
 */
let watcher: ((definition: TaskDefinition) => void) | undefined

/** Tells of each task that is defined from now on: how a thread finds the tasks of the modules that it loads. */
export function watchDefinitions(defined: (definition: TaskDefinition) => void): void {
  watcher = defined
}

const namePattern = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,127}$/u

/** @throws ALM_NAME_REFUSED, ALM_OPTION_REFUSED, ALM_DEFINED_INSIDE */
export function defineTask(given: {
  readonly name: string
  readonly body: TaskBody
  readonly options: TaskOptions
  /** the names that options of this kind of task may have */
  readonly optionNames: object
  readonly fn?: (...args: never[]) => unknown
  readonly input?: Shape | undefined
  readonly output?: Shape | undefined
  /** the definition that this is a variant of: it stands where that one stands */
  readonly variantOf?: TaskDefinition | undefined
  readonly at?: readonly string[]
}): TaskDefinition {
  const { name, body, options, optionNames, fn, input, output, variantOf, at = [] } = given
  // the text of what is no name may look like one
  if (typeof name !== 'string' || !namePattern.test(name))
    throw new AlmanacError('ALM_NAME_REFUSED', { name, what: 'a task' })
  if (variantOf === undefined && currentCaller() !== undefined)
    throw new AlmanacError('ALM_DEFINED_INSIDE', { task: name })
  checkNames(name, options, optionNames)
  const outputs: Record<string, OutputKind> = {}
  const outputNames: Record<string, string> = {}
  for (const [key, schema] of Object.entries(output ?? {})) {
    if ((reservedNames as readonly string[]).includes(key) || !namePattern.test(key)) {
      throw new AlmanacError('ALM_NAME_REFUSED', { name: key, what: `an output of ${name}` })
    }
    outputs[key] = kindOf(schema)
    const fileName = fileNameOf(schema)
    if (fileName === undefined) continue
    if (!namePattern.test(fileName))
      throw new AlmanacError('ALM_NAME_REFUSED', { name: fileName, what: `the file of output ${key}` })
    outputNames[key] = fileName
  }
  const place = variantOf === undefined ? callSite() : variantOf.spec.definedAt
  const spec: TaskSpec = {
    name,
    body,
    policy: policyOf(name, options),
    ...(output !== undefined && { outputs, outputNames }),
    env: options.variables ?? [],
    reads: (options.reads ?? []).map(resolveFromCaller),
    ...(options.version !== undefined && { version: options.version }),
    ...(place !== undefined && { definedAt: place }),
  }
  const request: CallRequest = { kind: 'task', name, task: spec, fn, check: resultCheck(name, output) }
  const context = checkedContext(name, options.context, input)
  const definition = { spec, request, input, output, at, context }
  watcher?.(definition)
  return definition
}

/** @throws ALM_OPTION_REFUSED */
function checkedContext(
  task: string,
  context: TaskOptions['context'],
  input: Shape | undefined,
): TaskOptions['context'] {
  for (const [name, document] of Object.entries(context ?? {})) {
    const refuse = (why: string): never => {
      throw new AlmanacError('ALM_OPTION_REFUSED', { option: `context.${name}`, task, why })
    }
    if (!namePattern.test(name)) refuse('it cannot be the name of an argument')
    if (!isDocument(document)) refuse('it is no document of run.context')
    if (input !== undefined && Object.hasOwn(input, name)) refuse('an input has that name')
  }
  return context
}

/** A result as declared: each named output fits its schema. Known at once, unless a schema takes its time. */
function resultCheck(task: string, output: Shape | undefined): CallRequest['check'] {
  if (output === undefined) return undefined
  const fields = Object.entries(output).map(([name, schema]) => ({ name, schema: schema['~standard'] }))
  return (value) => checkFields({ task, fields, value: value as Fields }, 0, {})
}

type Fields = Record<string, Value>

interface ResultCheck {
  readonly task: string
  readonly fields: readonly { readonly name: string; readonly schema: Shape[string]['~standard'] }[]
  readonly value: Fields
}

/** Checks the fields from one on. */
function checkFields(check: ResultCheck, from: number, checked: Fields): Fields | Promise<Fields> {
  for (let at = from; at < check.fields.length; at++) {
    const { name, schema } = check.fields[at] as ResultCheck['fields'][number]
    const result = schema.validate(check.value[name])
    if (result instanceof Promise) return checkFieldsAfter(result, check, at, checked)
    checked[name] = fitting(check, name, result)
  }
  return checked
}

async function checkFieldsAfter(
  result: Promise<StandardSchemaV1.Result<unknown>>,
  check: ResultCheck,
  at: number,
  checked: Fields,
): Promise<Fields> {
  const { name } = check.fields[at] as ResultCheck['fields'][number]
  checked[name] = fitting(check, name, await result)
  return checkFields(check, at + 1, checked)
}

/** @throws ALM_SCHEMA */
function fitting(
  { task, value }: ResultCheck,
  output: string,
  result: StandardSchemaV1.Result<unknown>,
): Value {
  if (result.issues === undefined) return result.value as Value
  const issues = issuesText(result.issues, value[output])
  throw new AlmanacError('ALM_SCHEMA', { what: `Output ${output} of ${task}`, issues })
}
