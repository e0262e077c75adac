import type { Limit } from '../flow/limits.ts'
import { fromWire } from '../model/codec.ts'
import { AlmanacError } from '../model/errors.ts'
import type { ErrorRecord } from '../model/records.ts'
import type { Value } from '../model/value.ts'
import type { StuckAt } from '../ports/caller.ts'

/** What a Python process says; `python/almanac/_host` has the other end. Each is a list that begins with its kind. */
export type Said =
  | { readonly kind: 'loaded'; readonly load: number; readonly file: DescribedFile }
  | { readonly kind: 'failed'; readonly load: number; readonly failure: PythonFailure }
  | { readonly kind: 'define'; readonly task: number; readonly definition: DescribedTask }
  | { readonly kind: 'undefine'; readonly task: number }
  | {
      readonly kind: 'task'
      readonly scope: number
      readonly call: number
      readonly task: number
      readonly args: Value
      readonly key: string | undefined
    }
  | {
      readonly kind: 'ask'
      readonly scope: number
      readonly call: number
      readonly operation: string
      readonly details: Readonly<Record<string, Value>>
      readonly key: string | undefined
      readonly task: number | undefined
      readonly fn: number | undefined
    }
  | {
      readonly kind: 'note'
      readonly scope: number
      readonly type: string
      readonly name: string
      readonly body: Value
    }
  | {
      readonly kind: 'want'
      readonly scope: number
      readonly call: number
      readonly path: readonly (string | number)[]
      readonly wait: number
    }
  /** a timer was cancelled, or left when its function ended */
  | { readonly kind: 'withdraw'; readonly scope: number; readonly call: number }
  | ({ readonly kind: 'end'; readonly value: Value } & Left)
  | ({ readonly kind: 'raised'; readonly failure: PythonFailure } & Left)
  | { readonly kind: 'stands'; readonly asked: number; readonly stuckAt: StuckAt | undefined }
  | { readonly kind: 'value'; readonly evaluation: number; readonly value: Value }
  | { readonly kind: 'unvalued'; readonly evaluation: number; readonly failure: PythonFailure }
  | { readonly kind: 'rested'; readonly taken: number }

/** A function has ended. */
interface Left {
  readonly scope: number
  /** waits of asyncio tasks that were cancelled with it: nobody hears what they would be given */
  readonly unheard: readonly number[]
}

/** A file's workflows by the names that they have in it. */
export interface DescribedFile {
  readonly workflows: Readonly<Record<string, DescribedWorkflow>>
  /** workflows of other files that it calls */
  readonly foreign: readonly { readonly file: string; readonly export: string }[]
  /** all of the author's own files that were read */
  readonly files: readonly string[]
}

export interface DescribedWorkflow {
  readonly name: string
  /** its docstring, or its file's */
  readonly about: string | null
  readonly inputs: Readonly<Record<string, DescribedInput>>
  /** that it declares */
  readonly limits: Readonly<Record<string, Limit>>
  readonly file: string
  readonly line: number
  /** by which it is entered */
  readonly function: number
}

export interface DescribedInput {
  readonly schema: Readonly<Record<string, unknown>>
  readonly required: boolean
  readonly description?: string
  readonly default?: Value
}

/** A document as a task declares it, or as a workflow asks for it. */
export interface DescribedDocument {
  readonly name: string
  readonly of: 'run' | 'workflow' | { readonly project: string }
  readonly schema?: Value
  readonly initial?: Value
}

export interface DescribedTask {
  readonly kind: 'python' | 'command' | 'script' | 'container'
  readonly name: string
  readonly options: Readonly<Record<string, unknown>>
  readonly context: Readonly<Record<string, DescribedDocument>>
  readonly inputs: Readonly<Record<string, 'file' | 'dir' | 'url' | 'value'>> | null
  /** a file may have a name of its own */
  readonly outputs: Readonly<Record<string, 'file' | 'dir' | 'value' | { readonly file: string }>> | null
  readonly file: string
  readonly line: number
  readonly function?: string
  readonly run?: readonly string[]
  readonly source?: string
  readonly lang?: string
  readonly env?: { readonly requirements: string; readonly python?: string }
  /** its own options, with paths of this machine absolute */
  readonly container?: { readonly image: string } & Readonly<Record<string, unknown>>
}

/** An exception. */
export interface PythonFailure extends Partial<Omit<ErrorRecord, 'message'>> {
  readonly message: string
  readonly column?: number
  /** waits whose failures it stands for; `raised`: it is that very one */
  readonly tokens: readonly number[]
  readonly raised?: number
  /** the call of the timer that it is there because of: `asyncio` raised, as it rang */
  readonly timer?: number
}

/** The messages of a line. @throws ALM_BUG if it is none of ours */
export function parseLine(line: string): Said[] {
  let messages: unknown
  try {
    messages = JSON.parse(line)
  } catch (error) {
    throw broken(line, (error as Error).message)
  }
  if (!Array.isArray(messages)) throw broken(line, 'it is no list')
  return messages.map((message: unknown) => {
    if (!Array.isArray(message)) throw broken(line, 'a message is no list')
    return said(message as never)
  })
}

// biome-ignore lint/suspicious/noExplicitAny: both ends are ours, and are released together
function said([kind, first, ...rest]: readonly any[]): Said {
  switch (kind) {
    case 'task': {
      const [call, task, args, key] = rest
      return { kind, scope: first, call, task, args: fromWire(args), key: key ?? undefined }
    }
    case 'want':
      return { kind, scope: first, call: rest[0], path: rest[1], wait: rest[2] }
    case 'withdraw':
      return { kind, scope: first, call: rest[0] }
    case 'rested':
      return { kind, taken: first }
    case 'ask': {
      const [call, operation, details, key, told] = rest
      const { task, function: fn } = told
      return {
        kind,
        scope: first,
        call,
        operation,
        details: fromWire(details) as Readonly<Record<string, Value>>,
        key: key ?? undefined,
        task,
        fn,
      }
    }
    case 'define':
      return { kind, task: first, definition: rest[0] }
    case 'undefine':
      return { kind, task: first }
    case 'note':
      return { kind, scope: first, type: rest[0], name: rest[1], body: fromWire(rest[2]) }
    case 'end':
      return rest[0] === true
        ? { kind, scope: first, value: fromWire(rest[1]), unheard: rest[2] ?? [] }
        : { kind: 'raised', scope: first, failure: rest[1], unheard: rest[2] ?? [] }
    case 'stands':
      return { kind, asked: first, stuckAt: rest[0] ?? undefined }
    case 'value':
      return rest[0] === true
        ? { kind, evaluation: first, value: fromWire(rest[1]) }
        : { kind: 'unvalued', evaluation: first, failure: rest[1] }
    case 'loaded':
      return { kind, load: first, file: rest[0] }
    case 'failed':
      return { kind, load: first, failure: rest[0] }
    default:
      throw broken(String(kind), 'no such message is known')
  }
}

const broken = (line: string, why: string) =>
  new AlmanacError('ALM_BUG', { why: `a Python process of workflows said ${line.slice(0, 200)}: ${why}` })
