import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import type { Digest } from '../model/refs.ts'
import type { SourcePlace } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { RemoteHost } from '../ports/caller.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { chosenWorkflow, definitionOf } from './chosen-workflow.ts'
import { type Scan, withDefaultFiles } from './default-files.ts'
import { type Future, makeFuture } from './future.ts'
import { checkNames, type OptionNames } from './option-names.ts'
import { checkInput, type WorkflowDefinition } from './workflow.ts'

/** How a run is triggered. */
export interface TriggerOptions {
  /** tells it from others of the same workflow and input */
  readonly key?: string
  /** of the new run, for people */
  readonly name?: string
  readonly tags?: readonly string[]
}

/** A run that was triggered. */
export interface TriggeredRun {
  readonly id: string
  /** what its workflow is called */
  readonly workflow: string
  /** that it was given; null for none */
  readonly name: string | null
}

const optionNames: OptionNames<TriggerOptions> = { key: true, name: true, tags: true }

/** `run.trigger` of a workflow in whichever language, called at `at`. */
export function triggered(
  definition: WorkflowDefinition,
  input: unknown,
  options: TriggerOptions,
  at: SourcePlace | undefined,
): Future<TriggeredRun> {
  const caller = requireCaller('run.trigger')
  const { name } = definition
  checkNames(`run.trigger(${name})`, options, optionNames)
  const args = {
    input: input === undefined ? null : toArgs(input),
    name: options.name ?? null,
    tags: [...(options.tags ?? [])],
  }
  const fn = (isOfFile: boolean, given?: Given): Promise<FoundWorkflow> =>
    found(definition, caller.remote, isOfFile, given)
  const request = { kind: 'trigger', name, fn, ...(at !== undefined && { at }) } as const
  return makeFuture(caller, caller.call(request, args, options.key), [], `run.trigger(${name})`)
}

/** A workflow that can be triggered: how it is executed now, and how it is found again. */
export interface FoundWorkflow {
  readonly definition: WorkflowDefinition
  /** absent where a program defines it itself */
  readonly file?: string
  readonly codeDigest?: Digest
  /** what it is given */
  readonly input?: Value
}

/**
 * Finds it as a later process would, and checks what it is `given`. `isOfFile`: the run that triggers it is of a file;
 * a program that runs its own workflows goes on with these by itself. @throws ALM_TRIGGER_REFUSED, ALM_SCHEMA
 */
export type FindWorkflow = (isOfFile: boolean, given?: Given) => Promise<FoundWorkflow>

/** What a run is triggered with, and who looks at files that lie elsewhere. */
export interface Given {
  readonly input: Value
  readonly scan: Scan
}

async function found(
  definition: WorkflowDefinition,
  remote: RemoteHost,
  isOfFile: boolean,
  given: Given | undefined,
): Promise<FoundWorkflow> {
  const { definedAt, name } = definition
  const own = isOfFile && definedAt !== undefined ? { file: definedAt.file, named: name } : undefined
  const from = definition.from ?? own
  if (from === undefined && isOfFile) throw refused(name, 'nobody knows the file that it is defined in')
  const result = from === undefined ? { definition } : await load(from, name, remote)
  if (given === undefined) return result
  // nothing is an input without fields, where there is a schema to say which fields there could be
  const known = given.input ?? (result.definition.input === undefined ? undefined : {})
  const input = await withDefaultFiles(result.definition, known, given.scan)
  await checkInput(result.definition, input)
  return { ...result, input }
}

async function load(
  { file, named }: NonNullable<WorkflowDefinition['from']>,
  name: string,
  remote: RemoteHost,
): Promise<FoundWorkflow> {
  try {
    const loaded = await remote.load(file)
    const definition = definitionOf(
      chosenWorkflow(file, loaded.exports, named === undefined ? {} : { named }),
    )
    return { definition, file: loaded.file, codeDigest: loaded.digest }
  } catch (error) {
    if (!isAlmanacError(error) || error.code === 'ALM_CANCELLED') throw error
    throw refused(name, `${error.message.replace(/\.$/, '')}`)
  }
}

const refused = (workflow: string, why: string): AlmanacError =>
  new AlmanacError('ALM_TRIGGER_REFUSED', { workflow, why })
