import { AlmanacError } from '../model/errors.ts'
import type { CachePolicy, OnFailure, RetryPolicy, TaskPolicy } from '../model/task.ts'
import type { AnyDocument } from './document.ts'
import { limitNeeds, type Rate, type TaskLimits } from './limits.ts'
import { checkNames, type OptionNames } from './option-names.ts'

/** The options that every kind of task has. */
export interface TaskOptions {
  /** how often a failed attempt is tried again; a number is short for `{ count }` */
  readonly retries?: number | Retries
  /** longest time of one attempt: ms, or `'90s'`, `'10m'`, `'1h'` */
  readonly timeout?: Duration
  /** longest silence of an attempt: it must log, report progress or send a heartbeat */
  readonly heartbeat?: Duration
  /** is the result reused over runs? see docs/identity.md; `{ for: '1h' }`: while it is younger */
  readonly cache?: boolean | { readonly for: Duration }
  /** counts instead of the code */
  readonly version?: string
  /** environment variables that the task sees, and that count */
  readonly variables?: readonly string[]
  /** files that its code reads, relative to the file that says so; they count by content */
  readonly reads?: readonly string[]
  /** documents that the task reads (`run.context`): it gets each as an argument of that name, and its content counts */
  readonly context?: Readonly<Record<string, AnyDocument>>
  /** acts on the world: starts after what it depends on is durable, is never cached, gets an idempotency key */
  readonly effect?: boolean
  /** its result may vary from time to time: it is never made again */
  readonly random?: boolean
  /** arrays in its result are written out at once: a lost worker or a later resume need not make them again */
  readonly persist?: boolean
  /** where its inputs lie counts too */
  readonly location?: boolean
  /** processors that it takes, 1 if absent */
  readonly cpu?: number
  /** memory that it takes: bytes, or `'512MiB'`, `'2GiB'` */
  readonly memory?: Size
  /** higher goes first, 0 if absent; of what can run now, so nothing waits for a place that it cannot use */
  readonly priority?: number
  /** limits that are shared over runs, by name: `['gpfs']`, or with units: `{ licence: 2 }`; see docs/limits.md */
  readonly limits?: TaskLimits
  /** how often it starts, over all runs of the project: `'10/s'`, `'100/h'` */
  readonly rate?: Rate
  /** what a failure means for the run: `'fail'` (if absent), it fails; `'skip'`, what needs it is skipped; `'pause'`, a person is asked */
  readonly onFailure?: OnFailure
}

/** How a failed attempt is tried again. */
export interface Retries {
  /** retries at most, beside the first attempt */
  readonly count: number
  /** before the first retry, 1 s if absent */
  readonly delay?: Duration
  /** each delay is the last one times this, 2 if absent */
  readonly backoff?: number
  /** 5 minutes if absent */
  readonly maxDelay?: Duration
  /** share of the delay that chance adds or takes, 0.1 if absent */
  readonly jitter?: number
  /** error types and those above them (`'TimeoutError'`, `'OSError'`), codes (`'ALM_TASK_TIMEOUT'`), reasons (`'memory'`) or exits (`'exit 75'`) that are tried again */
  readonly on?: readonly string[]
  /** memory of each further attempt is the last one's times this, 1 if absent */
  readonly memoryFactor?: number
}

/** ms, or a text like `'90s'`, `'10m'`, `'1.5h'`, `'2d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`
/** Bytes, or a text like `'512MiB'`, `'2GB'`. */
export type Size = number | `${number}${'KiB' | 'MiB' | 'GiB' | 'TiB' | 'KB' | 'MB' | 'GB' | 'TB'}`

const durations = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 } as const
const sizes = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
} as const

/** ms; undefined if it is none. */
export function durationMs(text: Duration | string): number | undefined {
  if (typeof text === 'number') return Number.isFinite(text) && text >= 0 ? text : undefined
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  return match === null ? undefined : Number(match[1]) * durations[match[2] as keyof typeof durations]
}

/** Bytes; undefined if it is none. */
export function sizeBytes(text: Size | string): number | undefined {
  if (typeof text === 'number') return Number.isFinite(text) && text >= 0 ? text : undefined
  const match = /^(\d+(?:\.\d+)?)\s?(KiB|MiB|GiB|TiB|KB|MB|GB|TB)$/.exec(text)
  return match === null ? undefined : Math.round(Number(match[1]) * sizes[match[2] as keyof typeof sizes])
}

const failureNames: readonly OnFailure[] = ['fail', 'skip', 'pause']

/** As it was given, where that can be shown. */
export const shown = (value: unknown): string => JSON.stringify(value) ?? String(value)

const areTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

/** @throws ALM_OPTION_REFUSED naming the option */
export function policyOf(task: string, options: TaskOptions): TaskPolicy {
  const refuse = (option: string, why: string): never => {
    throw new AlmanacError('ALM_OPTION_REFUSED', { option, task, why })
  }
  const duration = (option: string, value: Duration): number =>
    durationMs(value) ??
    refuse(option, `${JSON.stringify(value)} is no duration; write 500, '30s', '5m' or '1h'`)
  const number = (option: string, value: number, least: number): number =>
    Number.isFinite(value) && value >= least ? value : refuse(option, `${value} is no number from ${least}`)
  const flag = (option: 'effect' | 'random' | 'persist' | 'location'): boolean => {
    const value: unknown = options[option] ?? false
    return typeof value === 'boolean' ? value : refuse(option, `${shown(value)} is neither true nor false`)
  }
  for (const [option, list] of [
    ['variables', options.variables],
    ['reads', options.reads],
    ['retries.on', typeof options.retries === 'object' ? options.retries.on : undefined],
  ] as const)
    if (!areTexts(list ?? [])) refuse(option, `${shown(list)} is no list of texts; write ['…']`)
  const onFailure = options.onFailure ?? 'fail'
  if (!failureNames.includes(onFailure))
    refuse('onFailure', `${shown(onFailure)} is none of 'fail', 'skip' and 'pause'`)
  if (options.effect === true && options.cache !== undefined && options.cache !== false) {
    refuse('cache', 'a task that acts on the world is never reused')
  }
  if (typeof options.retries === 'object') checkNames(task, options.retries, retryNames, 'retries.')
  if (typeof options.cache === 'object') checkNames(task, options.cache, { for: true }, 'cache.')
  return {
    retries: retryPolicy(options.retries ?? 0, duration, number),
    ...(options.timeout !== undefined && { timeoutMs: duration('timeout', options.timeout) }),
    ...(options.heartbeat !== undefined && { heartbeatMs: duration('heartbeat', options.heartbeat) }),
    ...(options.cache !== undefined && { cache: cachePolicy(options.cache, duration) }),
    effect: flag('effect'),
    random: flag('random'),
    // what is never made again must be kept
    ...((flag('persist') || flag('random')) && { persist: true }),
    location: flag('location'),
    cpu: number('cpu', options.cpu ?? 1, 0),
    memoryBytes:
      options.memory === undefined
        ? 0
        : (sizeBytes(options.memory) ??
          refuse('memory', `${JSON.stringify(options.memory)} is no size; write '512MiB' or '2GiB'`)),
    priority: Number.isFinite(options.priority ?? 0)
      ? (options.priority ?? 0)
      : refuse('priority', 'it is no number'),
    ...limitsOf(task, options, refuse),
    onFailure,
  }
}

function limitsOf(
  task: string,
  { limits, rate }: TaskOptions,
  refuse: (option: string, why: string) => never,
): Pick<TaskPolicy, 'limits'> {
  if (limits === undefined && rate === undefined) return {}
  const needs = limitNeeds(task, limits, rate, (option, why) => refuse(option.replace(/^\./, ''), why))
  return needs === undefined ? {} : { limits: needs }
}

/** The names of what `retries` may say. */
export const retryNames: OptionNames<Retries> = {
  count: true,
  delay: true,
  backoff: true,
  maxDelay: true,
  jitter: true,
  on: true,
  memoryFactor: true,
}

/** The names of the options that every kind of task has. */
export const taskOptionNames: OptionNames<TaskOptions> = {
  retries: true,
  timeout: true,
  heartbeat: true,
  cache: true,
  version: true,
  variables: true,
  reads: true,
  context: true,
  effect: true,
  random: true,
  persist: true,
  location: true,
  cpu: true,
  memory: true,
  priority: true,
  limits: true,
  rate: true,
  onFailure: true,
}

type Check<T> = (option: string, value: T) => number

function retryPolicy(
  retries: number | Retries,
  duration: Check<Duration>,
  number: (option: string, value: number, least: number) => number,
): RetryPolicy {
  const given: Retries = typeof retries === 'number' ? { count: retries } : retries
  return {
    count: number('retries.count', given.count, 0),
    delayMs: duration('retries.delay', given.delay ?? 1000),
    backoff: number('retries.backoff', given.backoff ?? 2, 1),
    maxDelayMs: duration('retries.maxDelay', given.maxDelay ?? 300_000),
    jitter: number('retries.jitter', given.jitter ?? 0.1, 0),
    memoryFactor: number('retries.memoryFactor', given.memoryFactor ?? 1, 1),
    ...(given.on !== undefined && { on: given.on }),
  }
}

const cachePolicy = (cache: boolean | { readonly for: Duration }, duration: Check<Duration>): CachePolicy =>
  typeof cache === 'boolean' ? cache : { forMs: duration('cache.for', cache.for) }
