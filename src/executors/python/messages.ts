import { AlmanacError } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'

/**
 * What a worker says, checked: the author's code runs in the same process and may have written over anything.
 * `python/almanac_worker/worker.py` writes these.
 */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly pid: number; readonly version: string; readonly resident: number }
  | { readonly kind: 'begun'; readonly seq: number }
  | {
      readonly kind: 'log'
      readonly seq: number
      readonly lines: readonly (readonly [string, string, number])[]
    }
  | { readonly kind: 'note'; readonly seq: number; readonly line: string }
  | { readonly kind: 'said'; readonly sizes: readonly [number, number, number] }
  | { readonly kind: 'rss'; readonly resident: number }
  /** it has loaded more of the author's code than before */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'spoilt' }
  | { readonly kind: 'stale'; readonly seq: number; readonly file: string }
  | { readonly kind: 'recalled'; readonly seqs: readonly number[] }
  | { readonly kind: 'end'; readonly seq: number; readonly body: EndBody }
  /** how most end, several together: each with a value that is plain JSON; lists of one length */
  | {
      readonly kind: 'ok'
      readonly seqs: readonly number[]
      readonly us: readonly number[]
      readonly cpuUs: readonly number[]
      readonly values: readonly PlainValue[]
    }
  | { readonly kind: 'unmapped'; readonly segment: string }
  | {
      readonly kind: 'exported'
      readonly handle: number
      readonly segment: string
      readonly path: string | undefined
      readonly spans: readonly (readonly [number, number])[]
      readonly why: string
    }
  | { readonly kind: 'persisted'; readonly token: number; readonly path: string | undefined }

export type PlainValue = string | number | boolean | null

/** How an attempt ended in the worker. */
export interface EndBody {
  /** values by output name, in wire form; `blobs`: some are in files */
  readonly values?: Readonly<Record<string, unknown>>
  readonly blobs: boolean
  /** handle and bytes of values that stay in the worker */
  readonly held: readonly (readonly [number, number])[]
  /** what it was given of the worker's own and the worker has let go of */
  readonly usedUp: readonly number[]
  /** shared files that the attempt mapped, each as often as it did */
  readonly mapped: readonly string[]
  readonly failure?: WorkerFailure
  readonly cancelled: boolean
  readonly ms: number
  readonly cpuMs: number
  readonly peak: number
}

/** One of those that were raised together. */
type GroupMember = NonNullable<ErrorRecord['group']>[number]

export interface WorkerFailure {
  readonly kind: string
  readonly message: string
  readonly type?: string
  readonly types?: readonly string[]
  readonly group?: readonly GroupMember[]
  readonly file?: string
  readonly line?: number
  readonly stack?: string
  readonly exit?: string
  /** bytes of what could not be written */
  readonly size?: number
  readonly retry: boolean
  /** what it was given and the worker has let go of: it was never begun */
  readonly gone?: number
}

/** A worker that says what it cannot mean is not to be trusted any more. */
export const misspoken = (why: string): AlmanacError =>
  new AlmanacError('ALM_WORKER_LOST', { why: `it sent ${why}` })

/** @throws ALM_WORKER_LOST if it is no message of a worker */
export function parseMessage(message: unknown): WorkerMessage {
  const parts = list(message)
  const kind = text(parts[0])
  switch (kind) {
    case 'ok':
      return {
        kind,
        seqs: list(parts[1]).map(count),
        us: list(parts[2]).map(amount),
        cpuUs: list(parts[3]).map(amount),
        values: plain(list(parts[4]), list(parts[1]).length),
      }
    case 'ready':
      return { kind, pid: count(parts[1]), version: text(parts[2]), resident: count(parts[3]) }
    case 'begun':
      return { kind, seq: count(parts[1]) }
    case 'log':
      return { kind, seq: count(parts[1]), lines: list(parts[2]).map(logLine) }
    case 'note':
      return { kind, seq: count(parts[1]), line: text(parts[2]) }
    case 'said':
      return { kind, sizes: [count(parts[1]), count(parts[2]), count(parts[3])] }
    case 'rss':
      return { kind, resident: count(parts[1]) }
    case 'spoilt':
    case 'loaded':
      return { kind }
    case 'stale':
      return { kind, seq: count(parts[1]), file: text(parts[2]) }
    case 'recalled':
      return { kind, seqs: list(parts[1]).map(count) }
    case 'end':
      return { kind, seq: count(parts[1]), body: endBody(fields(parts[2])) }
    case 'unmapped':
      return { kind, segment: text(parts[1]) }
    case 'exported': {
      const path = parts[3] === null ? undefined : text(parts[3])
      const where = { kind, handle: count(parts[1]), segment: text(parts[2]), path } as const
      if (path === undefined) return { ...where, spans: [], why: text(parts[4]) }
      return { ...where, spans: list(parts[4]).map(pair), why: '' }
    }
    case 'persisted':
      return { kind, token: count(parts[1]), path: parts[2] === null ? undefined : text(parts[2]) }
    default:
      throw misspoken(`a message of the unknown kind ${kind.slice(0, 40)}`)
  }
}

function endBody(body: Readonly<Record<string, unknown>>): EndBody {
  return {
    ...(body['v'] !== undefined && { values: fields(body['v']) }),
    ...(body['e'] !== undefined && { failure: failure(fields(body['e'])) }),
    blobs: body['b'] === 1,
    held: body['h'] === undefined ? [] : list(body['h']).map(pair),
    usedUp: body['u'] === undefined ? [] : list(body['u']).map(count),
    mapped: body['m'] === undefined ? [] : list(body['m']).map(text),
    cancelled: body['c'] === 1,
    ms: amount(body['ms']),
    cpuMs: amount(body['cpu']),
    peak: amount(body['rss']),
  }
}

function failure(body: Readonly<Record<string, unknown>>): WorkerFailure {
  const { kind, message, type, types, group, file, line, stack, exit, size, retry, gone } = body
  return {
    kind: text(kind),
    message: text(message),
    ...(type !== undefined && { type: text(type) }),
    ...(types !== undefined && { types: list(types).map(text) }),
    ...(group !== undefined && { group: list(group).map((one) => groupMember(one, 1)) }),
    ...(file !== undefined && { file: text(file) }),
    ...(line !== undefined && { line: count(line) }),
    ...(stack !== undefined && { stack: text(stack) }),
    ...(exit !== undefined && { exit: text(exit) }),
    ...(size !== undefined && { size: count(size) }),
    retry: retry === true,
    ...(gone !== undefined && { gone: count(gone) }),
  }
}

/** `within` so many groups: Python tells of four at most. */
function groupMember(value: unknown, within: number): GroupMember {
  const { message, type, types, group } = fields(value)
  return {
    message: text(message),
    ...(type !== undefined && { type: text(type) }),
    ...(types !== undefined && { types: list(types).map(text) }),
    ...(group !== undefined &&
      within < 4 && { group: list(group).map((one) => groupMember(one, within + 1)) }),
  }
}

function logLine(value: unknown): readonly [string, string, number] {
  const [stream, line, at] = list(value)
  return [text(stream), text(line), count(at)]
}

function pair(value: unknown): readonly [number, number] {
  const [first, second] = list(value)
  return [count(first), count(second)]
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw misspoken('a message that is no list where one belongs')
  return value
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw misspoken('a message without fields')
  return value as Readonly<Record<string, unknown>>
}

function plain(values: readonly unknown[], length: number): readonly PlainValue[] {
  if (values.length !== length) throw misspoken('more or fewer values than attempts')
  for (const value of values) {
    if (value !== null && typeof value === 'object') throw misspoken('a plain value that is none')
  }
  return values as readonly PlainValue[]
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw misspoken('a message without a text where one belongs')
  return value
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw misspoken('a message without a count where one belongs')
  }
  return value
}

const amount = (value: unknown): number => (typeof value === 'number' && value >= 0 ? value : 0)
