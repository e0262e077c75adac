import { AlmanacError } from '../model/errors.ts'
import type { Artifact } from '../model/task-context.ts'
import type { Value } from '../model/value.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { type Document, type DocumentOptions, document } from './document.ts'
import { type Future, makeFuture } from './future.ts'
import { branch } from './list.ts'
import { type Duration, durationMs } from './options.ts'
import { jsonSchemaOf, type Schema, type Shape, type ShapeOf, shapeSchema } from './schema.ts'

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

type Answer<S> = S extends Schema<infer T> ? T : S extends Shape ? ShapeOf<S> : never

/** What a workflow can do besides calling tasks. */
export const run = {
  /** A typed question to a person. The run holds no resources while it waits for nothing else. */
  ask<const S extends Schema | Shape>(schema: S, options: AskOptions): Future<Answer<S>> {
    const caller = requireCaller('run.ask')
    const checked = '~standard' in schema ? (schema as Schema) : shapeSchema(schema as Shape)
    const args = {
      title: options.title,
      schema: jsonSchemaOf(checked) as Value,
      show: toArgs(options.show ?? null),
      to: options.to ?? null,
      timeoutMs: options.timeout === undefined ? null : duration('timeout', options.timeout),
    }
    const request = { kind: 'ask', name: 'ask', check: answerCheck(checked) } as const
    const call = caller.call(request, args, options.key)
    return makeFuture(caller, call, [], 'ask')
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

  /** Something that happened, by name. */
  event(name: string, body: unknown = null): void {
    requireCaller('run.event').note('event', name, toArgs(body))
  },

  /** A figure, kept for comparing runs. */
  metric(name: string, value: number, options: { readonly step?: number } = {}): void {
    requireCaller('run.metric').note('metric', name, {
      value,
      ...(options.step !== undefined && { step: options.step }),
    })
  },

  /** Something to show at once. */
  artifact(name: string, artifact: Artifact): void {
    requireCaller('run.artifact').note('artifact', name, toArgs(artifact))
  },

  /** How far it is. */
  progress(done: number, total?: number): void {
    requireCaller('run.progress').note('progress', 'progress', {
      done,
      ...(total !== undefined && { total }),
    })
  },
} as const

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

const answerCheck = (schema: Schema) => async (value: Value) => {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value as Value
  throw new AlmanacError('ALM_SCHEMA', {
    what: 'The answer',
    issues: result.issues.map((issue) => issue.message).join('; '),
  })
}
