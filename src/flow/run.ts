import { AlmanacError } from '../model/errors.ts'
import { isMessageName } from '../model/message-name.ts'
import type { Artifact } from '../model/task-context.ts'
import type { Value } from '../model/value.ts'
import type { Caller } from '../ports/caller.ts'
import { issuesText } from '../util/issues.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { callSite } from './call-site.ts'
import type { Arg } from './callable.ts'
import { definitionOf } from './chosen-workflow.ts'
import { type Document, type DocumentOptions, document } from './document.ts'
import { type Future, makeFuture, view } from './future.ts'
import { branch } from './list.ts'
import { artifactBody, eventBody, metricBody } from './note-bodies.ts'
import { type Duration, durationMs } from './options.ts'
import { jsonSchemaOf, type Schema, type Shape, type ShapeOf, shapeSchema } from './schema.ts'
import { type TriggeredRun, type TriggerOptions, triggered } from './trigger.ts'
import type { Workflow } from './workflow.ts'

/** How a person is asked. */
export interface AskOptions {
  readonly title: string
  /** artifacts and values to be judged */
  readonly show?: unknown
  /** the question fails after that */
  readonly timeout?: Duration
  /** who is asked */
  readonly to?: string
  /** needed where equal questions are open at once */
  readonly key?: string
}

/** How a message is waited for. */
export interface ReceiveOptions {
  /** it fails after that */
  readonly timeout?: Duration
  /** needed where calls with the same name are open at once */
  readonly key?: string
}

/** How a callback is waited for. */
export interface CallbackOptions {
  /** what people see that the run waits for */
  readonly title?: string
  /** it fails after that */
  readonly timeout?: Duration
  /** needed where callbacks with the same title are open at once */
  readonly key?: string
}

/** Where a message goes. */
export interface RunSendOptions {
  /** the run that is to receive it */
  readonly to?: string
  /** tells equal messages apart where code around them is edited */
  readonly key?: string
}

type Answer<S> = S extends Schema<infer T> ? T : S extends Shape ? ShapeOf<S> : never

/** What a workflow can do besides calling tasks. */
export const run = {
  /** A typed question to a person. The run holds no resources while it waits for nothing else. */
  ask<const S extends Schema | Shape>(schema: S, options: AskOptions): Future<Answer<S>> {
    const caller = requireCaller('run.ask')
    const checked = schemaOf(schema)
    const args = {
      title: options.title,
      schema: jsonSchemaOf(checked) as Value,
      show: toArgs(options.show ?? null),
      to: options.to ?? null,
      timeoutMs: options.timeout === undefined ? null : duration('timeout', options.timeout),
    }
    const request = { kind: 'ask', name: 'ask', check: checkBy(checked, 'The answer') } as const
    const call = caller.call(request, args, options.key)
    return makeFuture(caller, call, [], 'ask')
  },

  /**
   * The next message to this run by that name that no call has received: of `almanac send`, of a program, or of
   * another run. Messages are received once each, in the order in which they came, whether the run asked before or not.
   *
   * @example
   * ```ts
   * import { run, workflow, z } from 'almanac'
   *
   * export default workflow('steered', async () => {
   *   let gain = 1
   *   for (;;) {
   *     // almanac send last steer '{"gain": 2}'
   *     const steer = await run.receive('steer', { gain: z.number(), done: z.boolean().optional() })
   *     gain = steer.gain
   *     if (steer.done === true) return gain
   *   }
   * })
   * ```
   */
  receive<const S extends Schema | Shape>(
    name: string,
    schema: S,
    options: ReceiveOptions = {},
  ): Future<Answer<S>> {
    const caller = requireCaller('run.receive')
    const checked = schemaOf(schema)
    const expected = {
      title: messageName(name),
      schema: jsonSchemaOf(checked) as Value,
      timeoutMs: options.timeout === undefined ? null : duration('timeout', options.timeout),
    }
    const request = { kind: 'receive', name, expected, check: checkBy(checked, 'The message') } as const
    return makeFuture(caller, caller.call(request, null, options.key), [], name)
  },

  /**
   * A message out of the run, for whoever reads them (`almanac messages RUN -f`), or to another run of the project, which
   * receives it by `run.receive`. It is sent once, when all that it depends on is durable, whatever happens to the process.
   *
   * @example
   * ```ts
   * import { run, task, workflow } from 'almanac'
   *
   * export const find = task('find', (n: number) => ({ peak: n * n }))
   *
   * export default workflow('told', async () => {
   *   for (const n of [1, 2]) await run.send('found', find(n))
   *   return 2
   * })
   * ```
   */
  send(name: string, value: unknown, options: RunSendOptions = {}): Future<undefined> {
    const caller = requireCaller('run.send')
    const request = { kind: 'send', name: messageName(name) } as const
    const args = { value: toArgs(value), to: options.to ?? null }
    return makeFuture(caller, caller.call(request, args, options.key), [], name)
  },

  /**
   * A URL for an outside system to post to, once, and what it posts. Who has the URL may post: it holds a token that is only
   * known where it is given to. It is known at once, and the same whenever the run goes on; pass it to a task.
   * `almanac listen` takes what is posted.
   *
   * @example
   * ```ts
   * import { run, task, workflow, z } from 'almanac'
   *
   * export const submit = task('submit', { cache: false }, (notify: string) => notify.length > 0)
   *
   * export default workflow('submitted', async () => {
   *   const { url, posted } = run.callback({ state: z.string() }, { title: 'the job of the archive' })
   *   await submit(url)
   *   return posted
   * })
   * ```
   */
  callback<const S extends Schema | Shape>(
    schema: S,
    options: CallbackOptions = {},
  ): { readonly url: Future<string>; readonly posted: Future<Answer<S>> } {
    const caller = requireCaller('run.callback')
    const checked = schemaOf(schema)
    const title = options.title ?? 'callback'
    const expected = {
      title,
      schema: jsonSchemaOf(checked) as Value,
      timeoutMs: options.timeout === undefined ? null : duration('timeout', options.timeout),
    }
    const check = checkBy(checked, 'What was posted')
    const call = caller.call({ kind: 'callback', name: 'callback', expected, check }, { title }, options.key)
    return { url: callbackUrl(caller, call), posted: makeFuture(caller, call, [], 'callback') }
  },

  /** Waits, durably: after a crash it goes on where it was. */
  sleep(duration_: Duration): Future<undefined> {
    return builtIn('sleep', { ms: duration('sleep', duration_) })
  },

  /** The time, remembered. */
  now(): Future<Date> {
    return builtIn('now', null)
  },

  /** A number from 0 to 1, remembered. */
  random(): Future<number> {
    return builtIn('random', null)
  },

  /**
   * Starts a workflow as a run of its own, without waiting for it: `{ id, workflow, name }` of that run, the same when this
   * one goes on. It begins when all that it depends on is durable, outlives this run, and how it ends is of no consequence
   * here.
   */
  trigger<I, R>(
    workflow: Workflow<I, R>,
    ...given: undefined extends I
      ? [input?: Arg<I>, options?: TriggerOptions]
      : [input: Arg<I>, options?: TriggerOptions]
  ): Future<TriggeredRun> {
    const [input, options = {}] = given
    return triggered(definitionOf(workflow), input, options, callSite())
  },

  /** A named part of the workflow, at which graph and timeline fold. */
  stage<R>(name: string, fn: () => PromiseLike<R> | R): Future<Awaited<R>> {
    return branch(requireCaller('run.stage'), name, undefined, fn)
  },

  /**
   * A document that runs share and that outlives them: calibration state, cached metadata. Made outside of workflows
   * too, so that tasks can declare it: `context: { calibration }`.
   */
  context<T>(name: string, options: DocumentOptions<T> = {}): Document<T> {
    return document(name, options)
  },

  /** Something that happened, by name. `almanac logs RUN` shows it. @throws ALM_VALUE_REFUSED, as what follows */
  event(name: string, body: unknown = null): void {
    requireCaller('run.event').note('event', name, eventBody(name, body))
  },

  /** A figure, kept for comparing runs. */
  metric(name: string, value: number, options: { readonly step?: number } = {}): void {
    requireCaller('run.metric').note('metric', name, metricBody(name, value, options.step))
  },

  /** Something to show at once. An image is a file that a task left, or an input: pass the file, and no path. */
  artifact(name: string, artifact: Artifact): void {
    requireCaller('run.artifact').note('artifact', name, artifactBody(name, artifact))
  },

  /** How far it is. */
  progress(done: number, total?: number): void {
    requireCaller('run.progress').note('progress', 'progress', {
      done,
      ...(total !== undefined && { total }),
    })
  },
} as const

/** Where a callback is posted to: derived, and so in no record of the journal. */
export const callbackUrl = (caller: Caller, call: number): Future<string> =>
  view(caller, 'callback', { call })

function builtIn<T>(kind: 'sleep' | 'now' | 'random', args: Value): Future<T> {
  const caller = requireCaller(`run.${kind}`)
  return makeFuture(caller, caller.call({ kind, name: kind }, args), [], kind)
}

function duration(option: string, value: Duration): number {
  const ms = durationMs(value)
  if (ms === undefined)
    throw new AlmanacError('ALM_OPTION_REFUSED', {
      option,
      task: 'run',
      why: `${String(value)} is no duration`,
    })
  return ms
}

const schemaOf = (schema: Schema | Shape): Schema =>
  '~standard' in schema ? (schema as Schema) : shapeSchema(schema as Shape)

/** @throws ALM_NAME_REFUSED */
function messageName(name: string): string {
  if (isMessageName(name)) return name
  throw new AlmanacError('ALM_NAME_REFUSED', { name: JSON.stringify(name), what: 'a message' })
}

const checkBy = (schema: Schema, what: string) => async (value: Value) => {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value as Value
  throw new AlmanacError('ALM_SCHEMA', { what, issues: issuesText(result.issues, value) })
}
