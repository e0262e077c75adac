import { callTask, mapTask } from '../flow/callable.ts'
import { definitionOf } from '../flow/chosen-workflow.ts'
import { dataset } from '../flow/dataset.ts'
import type { TaskDefinition } from '../flow/definition.ts'
import { filterBy, makeFuture } from '../flow/future.ts'
import { targetOf } from '../flow/future-target.ts'
import { type Limit, limitRules } from '../flow/limits.ts'
import { all, makeChild, settled } from '../flow/list.ts'
import { callbackUrl, run } from '../flow/run.ts'
import { type HttpSource, type S3Source, source } from '../flow/source.ts'
import { triggered } from '../flow/trigger.ts'
import { type S3Url, url } from '../flow/url.ts'
import { dirOf } from '../flow/values.ts'
import { AlmanacError } from '../model/errors.ts'
import { FutureRef } from '../model/refs.ts'
import type { SourcePlace } from '../model/task.ts'
import type { Value } from '../model/value.ts'
import type { Caller } from '../ports/caller.ts'
import type { ToldDocuments } from './documents.ts'
import { schemaFrom } from './schemas.ts'

/** A call that is not of a task, as Python asks for it. */
export interface Operation {
  readonly caller: Caller
  readonly name: string
  /** futures in it are `FutureRef`s of this run */
  readonly details: Readonly<Record<string, Value>>
  readonly key: string | undefined
  readonly task: TaskDefinition | undefined
  /** a function of the author's, which lives in Python */
  readonly fn: ((...args: never[]) => unknown) | undefined
  readonly documents: ToldDocuments
  /** a workflow of another file */
  readonly workflow: (file: string, name: string, key: string | undefined) => (input: Value) => unknown
}

/**
 * Carries it out by what authors in TypeScript use, so that both languages mean the same.
 * Must be called where the function is the ambient one. Gives the call, and the field of it that is meant.
 */
export const carryOut = (operation: Operation): FutureRef => refOf(futureOf(operation), operation.name)

/** A call of a task that gets documents. Must be called where the function is the ambient one. */
export const callRef = (definition: TaskDefinition, args: Value, key: string | undefined): FutureRef =>
  refOf(callTask(definition, args, key), definition.spec.name)

function refOf(future: unknown, name: string): FutureRef {
  const target = targetOf(future)
  if (target === undefined) throw new AlmanacError('ALM_BUG', { why: `${name} gave no future` })
  return new FutureRef(target.call, target.path)
}

function futureOf({ caller, name, details: d, key, task, fn, workflow, documents }: Operation): unknown {
  const keyed = key === undefined ? {} : { key }
  switch (name) {
    case 'all':
      return all<unknown>(d['of'])
    case 'settled':
      return settled(d['of'] as never)
    case 'filter':
      return filterBy(caller, d['of'], d['by'] === null ? [fn] : [d['by'], fn])
    case 'dir':
      return dirOf(d['entries'] as Readonly<Record<string, Value>>)
    case 'map':
      return mapped(task, d, fn)
    case 'child':
      return child({ caller, key, fn }, d as never)
    case 'workflow':
      return workflow(d['file'] as string, d['export'] as string, key)(d['input'])
    case 'read':
      return dataset(d['name'] as string).read(
        d['version'] === null ? {} : { version: d['version'] as number },
      )
    case 'publish': {
      const options = { upon: d['upon'] as 'seen', incomplete: d['incomplete'] as boolean, ...keyed }
      return dataset(d['name'] as string).publish(d['dir'] as never, options)
    }
    case 'get':
    case 'put':
    case 'patch':
      return documents.ask(name, d, key)
    case 'source.http':
      return source.http({ ...d, ...keyed } as unknown as HttpSource)
    case 'source.s3':
      return source.s3({ ...d, ...keyed } as unknown as S3Source)
    case 'url.http': {
      const { url: at, ...options } = d
      return url.http(at as string, options)
    }
    case 'url.s3':
      return url.s3(d as unknown as S3Url)
    case 'ask': {
      const { timeout, to } = d as Readonly<Record<string, never>>
      const given = { ...(timeout !== null && { timeout }), ...(to !== null && { to }), ...keyed }
      return run.ask(schemaFrom(d['schema']), { title: d['title'] as string, show: d['show'], ...given })
    }
    case 'send': {
      const { to } = d as Readonly<Record<string, never>>
      return run.send(d['name'] as string, d['value'], { ...(to !== null && { to }), ...keyed })
    }
    case 'trigger':
      return triggerOf(d as unknown as TriggerDetails, key, workflow)
    case 'receive':
    case 'callback':
      return waiting(name, d, keyed)
    case 'callback.url':
      return callbackUrl(caller, (d['of'] as unknown as FutureRef).call)
    case 'sleep':
      return run.sleep(d['duration'] as number)
    case 'timer':
      return makeFuture(caller, caller.call({ kind: 'timer', name }, d), [], name)
    case 'now':
      return run.now()
    case 'random':
      return run.random()
    default:
      throw new AlmanacError('ALM_BUG', { why: `Python asks for ${name}` })
  }
}

interface ChildDetails {
  readonly name: string
  readonly input: Value
  readonly limits?: Readonly<Record<string, Limit>>
  /** absent for stages and branches */
  readonly at?: SourcePlace
}

/** What waits for the world. */
function waiting(
  name: 'receive' | 'callback',
  d: Readonly<Record<string, Value>>,
  keyed: { readonly key?: string },
): unknown {
  const { timeout } = d as Readonly<Record<string, never>>
  const given = { ...(timeout !== null && { timeout }), ...keyed }
  const schema = schemaFrom(d['schema'])
  if (name === 'receive') return run.receive(d['name'] as string, schema, given)
  return run.callback(schema, { title: d['title'] as string, ...given }).posted
}

function child(
  { caller, key, fn }: Pick<Operation, 'caller' | 'key' | 'fn'>,
  { name, input, limits, at }: ChildDetails,
): unknown {
  const made = { name, fn: fn as (...args: never[]) => unknown, limits: limitRules(name, limits), at }
  return makeChild(caller, made, input, key)
}

interface TriggerDetails {
  readonly file: string
  readonly name: string
  /** the file is another one than that of the function, in whichever language */
  readonly foreign: boolean
  readonly input: Value
  readonly title: string | null
  readonly tags: readonly string[]
  readonly at: SourcePlace
}

function triggerOf(
  { file, name, foreign, input, title, tags, at }: TriggerDetails,
  key: string | undefined,
  workflow: Operation['workflow'],
): unknown {
  const found = foreign ? definitionOf(workflow(file, name, undefined)) : undefined
  // what it takes is known when its file is loaded, which is when the call is carried out
  const definition = {
    name: found?.name ?? name,
    fn: () => undefined,
    input: undefined,
    output: undefined,
    limits: [],
    definedAt: undefined,
    from: { file, named: found?.name ?? name },
  }
  const options = { ...(title !== null && { name: title }), tags, ...(key !== undefined && { key }) }
  return triggered(definition, input ?? undefined, options, at)
}

function mapped(
  task: TaskDefinition | undefined,
  d: Readonly<Record<string, Value>>,
  by: ((...args: never[]) => unknown) | undefined,
): unknown {
  if (task === undefined) throw new AlmanacError('ALM_BUG', { why: 'a map has no task' })
  return mapTask(task, d['over'], (item) => item as Value, {
    with: d['with'] as Readonly<Record<string, unknown>>,
    ...(d['as'] !== null && { as: d['as'] as string }),
    ...(d['include'] !== undefined && { include: d['include'] as string[] }),
    ...(by !== undefined && { by: by as (path: string) => string | null }),
  })
}
