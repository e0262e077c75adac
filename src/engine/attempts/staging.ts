import { Dir, File, Url } from '../../flow/values.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Time } from '../../model/records.ts'
import { DirRef, FileRef, UrlRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import { eachRef, mapRefs } from '../../model/value-refs.ts'
import type { Workspace } from '../../ports/data.ts'
import type { Attempt, AttemptId } from '../../ports/executor.ts'
import type { OpenUrl } from '../../ports/urls.ts'
import type { CallInfo } from '../calls/call-info.ts'
import type { EnginePorts } from '../settings.ts'

/** What an attempt is given, whoever runs it: an executor, or a person in a shell. */

/** Arguments with each file and directory where the task finds it, and those files and directories. */
export interface StagedArgs {
  readonly args: Value
  readonly refs: readonly (FileRef | DirRef)[]
  readonly urls: readonly UrlRef[]
  /** what lets the task in to servers */
  readonly secrets: readonly string[]
}

/** Full URLs of files at URLs, by what those are known by. */
export type FullUrls = ReadonlyMap<string, string>

/** @throws ALM_INPUT_CHANGED, ALM_INPUT_URL_CHANGED and what else opening throws */
export async function stageArgs(
  args: Value,
  { data, urls: servers }: Pick<EnginePorts, 'data' | 'urls'>,
  full: FullUrls = new Map(),
): Promise<StagedArgs> {
  const refs: (FileRef | DirRef)[] = []
  const urls: UrlRef[] = []
  eachRef(args, (ref) => {
    if (ref instanceof FileRef || ref instanceof DirRef) refs.push(ref)
    else if (ref instanceof UrlRef) urls.push(ref)
  })
  const paths = new Map<FileRef | DirRef, string>()
  const opened = new Map<UrlRef, OpenUrl>()
  const begun: (FileRef | DirRef)[] = []
  try {
    for (const ref of refs) {
      // one that cannot be opened may be in use from here on, too
      begun.push(ref)
      paths.set(ref, await data.open(ref))
    }
    await data.verify(refs)
    await eachUrl(urls, async (ref) => {
      if (servers === undefined) throw new AlmanacError('ALM_BUG', { why: 'nobody asks servers here' })
      await servers.verify(ref, full.get(ref.place))
      opened.set(ref, await servers.open(ref, full.get(ref.place)))
    })
  } catch (error) {
    // what stays in use harms nobody; that it could not be opened is what is told
    await data.release?.(begun).catch(() => undefined)
    throw error
  }
  const staged = mapRefs(args, (ref) => {
    if (ref instanceof FileRef)
      return new File(ref.name, ref.digest, ref.size, ref.executable, paths.get(ref))
    if (ref instanceof DirRef) return new Dir(ref.digest, ref.entries, ref.size, paths.get(ref))
    if (!(ref instanceof UrlRef)) return ref
    const { place, size, version, pinned, object } = ref
    return new Url(place, size, version, pinned, object, opened.get(ref)?.url)
  })
  return { args: staged, refs, urls, secrets: [...opened.values()].flatMap(({ secrets }) => secrets) }
}

/** Servers are asked of so many at once. */
const urlLanes = 8

/** All have been dealt with when it resolves, or fails with the first failure. */
export async function eachUrl(urls: readonly UrlRef[], deal: (ref: UrlRef) => Promise<void>): Promise<void> {
  const queue = urls.values()
  const lane = async (): Promise<void> => {
    for (const ref of queue) await deal(ref)
  }
  await Promise.all(Array.from({ length: Math.min(urlLanes, urls.length) }, lane))
}

/** The name that an output's file has, for people and programs that go by endings. */
export const fileName = (task: TaskSpec, output: string): string => task.outputNames?.[output] ?? output

/** Is something to be laid out for each of its attempts, whatever they are given? */
export function isAlwaysStaged({ body, outputs = {} }: TaskSpec): boolean {
  const { kind } = body
  if (kind === 'command' || kind === 'script' || kind === 'container') return true
  for (const name in outputs) if (outputs[name] !== 'value') return true
  return false
}

/** Which attempt of which call. */
export interface AttemptOf {
  readonly run: string
  readonly info: CallInfo
  readonly task: TaskSpec
  readonly attempt: number
  readonly id: AttemptId
}

/** What it is given. */
export interface AttemptGiven {
  readonly args: Value
  readonly memoryBytes: number
  readonly workspace: Workspace | undefined
  readonly behind?: boolean
  readonly usesUp?: boolean
  readonly neededAt?: number | undefined
}

/**
 * An attempt of a call: its arguments staged, its outputs to be left in the workspace. There may be a hundred thousand a
 * second, and most executors ask for little of what could be said of each.
 */
export class CallAttempt implements Attempt {
  readonly id: AttemptId
  readonly run: string
  readonly attempt: number
  readonly task: TaskSpec
  readonly inputs: Readonly<Record<string, Value>>
  readonly outputs: Readonly<Record<string, string>>
  readonly scratch: string
  readonly env: Readonly<Record<string, string>>
  readonly memoryBytes: number
  readonly behind: boolean
  readonly usesUp: boolean
  readonly neededAt: number | undefined
  readonly #info: CallInfo

  constructor(of: AttemptOf, given: AttemptGiven, variable: EnginePorts['variable']) {
    const { task } = of
    const { workspace } = given
    this.id = of.id
    this.run = of.run
    this.attempt = of.attempt
    this.task = task
    this.inputs = (given.args ?? {}) as Record<string, Value>
    this.outputs = workspace === undefined ? nothing : outputPaths(task, workspace)
    this.scratch = workspace?.scratch ?? ''
    this.env = task.env.length === 0 ? nothing : variables(task, variable)
    this.memoryBytes = given.memoryBytes
    this.behind = given.behind === true
    this.usesUp = given.usesUp === true
    this.neededAt = given.neededAt
    this.#info = of.info
  }

  get call(): number {
    return this.#info.id
  }

  /** Not by the call alone: after an edit its result is another one, and so is what is made of it. */
  get key(): string {
    const info = this.#info
    if (info.heldKey !== undefined) return info.heldKey
    info.fingerprint ??= info.identity?.fingerprint(info.args)
    return `${this.#callKey}${info.fingerprint?.slice(0, 32) ?? ''}`
  }

  get idempotencyKey(): string {
    return `${this.run}/${this.#callKey}`
  }

  get logicalTime(): Time {
    return this.#info.madeAt
  }

  get fn(): Attempt['fn'] {
    return this.#info.request.fn
  }

  get timeoutMs(): number | undefined {
    return this.task.policy.timeoutMs
  }

  get heartbeatMs(): number | undefined {
    return this.task.policy.heartbeatMs
  }

  get #callKey(): string {
    return this.#info.key.slice(0, 32)
  }
}

/** Of most attempts: one for all, which no task can change. */
const nothing: Readonly<Record<string, string>> = Object.freeze({})

function outputPaths(task: TaskSpec, workspace: Workspace): Record<string, string> {
  const paths: Record<string, string> = {}
  for (const [name, kind] of Object.entries(task.outputs ?? {}))
    if (kind !== 'value') paths[name] = workspace.output(fileName(task, name))
  return paths
}

function variables(task: TaskSpec, variable: EnginePorts['variable']): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of task.env) {
    const value = variable(name)
    if (value !== undefined) found[name] = value
  }
  return found
}
