import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'
import { isTerminal } from '../../model/terminal-error.ts'
import { isOwnFile } from '../../util/own-frames.ts'

const maxMessage = 16_384
const maxFrames = 50
const maxCauses = 5
const maxTypes = 24
const maxName = 200

export interface Thrown {
  readonly error: ErrorRecord
  readonly retryable: boolean
}

/**
 * What a task threw, whatever it is, in the author's terms: type, message, first place in the author's code, and a
 * stack without frames of Node and of Almanac. Nothing in it is trusted: getters may throw, causes go in circles.
 */
export function describeThrown(thrown: unknown): Thrown {
  try {
    return { error: record(thrown), retryable: !isTerminal(thrown) }
  } catch {
    const message = 'The task threw something that cannot be described.'
    return { error: errorRecord('ALM_TASK_FAILED', { message }), retryable: true }
  }
}

function record(thrown: unknown): ErrorRecord {
  const chain = causes(thrown)
  const [place] = chain.flatMap((error) => frames(error))
  const stack = chain.map((error) => {
    const lines = frames(error).map((frame) => `    at ${frame.text}`)
    return [`${typeOf(error)}: ${messageOf(error)}`, ...lines].join('\n')
  })
  const known = isAlmanacError(thrown) ? thrown : undefined
  return errorRecord(
    known?.code ?? 'ALM_TASK_FAILED',
    { ...known?.details, message: messageOf(thrown) },
    {
      message: messageOf(thrown),
      type: typeOf(thrown),
      ...(thrown instanceof Error && { types: typesOf(thrown) }),
      ...(place !== undefined && { file: place.file, line: place.line }),
      stack: stack.join('\ncaused by '),
    },
  )
}

/** The error, what caused it, and so on; the errors of an `AggregateError` count as its causes. */
function causes(thrown: unknown): unknown[] {
  const chain = [thrown]
  for (let i = 0; i < chain.length && chain.length <= maxCauses; i++) {
    const error = chain[i]
    if (!(error instanceof Error)) continue
    const next = error instanceof AggregateError ? [...error.errors, error.cause] : [error.cause]
    chain.push(...next.filter((cause) => cause !== undefined && !chain.includes(cause)).slice(0, maxCauses))
  }
  return chain.slice(0, maxCauses + 1)
}

function typeOf(thrown: unknown): string {
  if (thrown instanceof Error) return String(thrown.name) || 'Error'
  return thrown === null ? 'null' : typeof thrown
}

/** The names of its class and of those above it, up to `Error`. */
function typesOf(thrown: Error): string[] {
  const names: string[] = []
  let of: object | null = Object.getPrototypeOf(thrown)
  while (of !== null && of !== Object.prototype && names.length < maxTypes) {
    names.push(String(of.constructor?.name).slice(0, maxName))
    of = Object.getPrototypeOf(of)
  }
  return names
}

function messageOf(thrown: unknown): string {
  const text =
    thrown instanceof Error
      ? String(thrown.message)
      : typeof thrown === 'string'
        ? thrown
        : inspect(thrown, { depth: 2 })
  return text.length > maxMessage ? `${text.slice(0, maxMessage)}…` : text
}

interface Frame {
  readonly text: string
  readonly file: string
  readonly line: number
}

/** `name (file:line:column)` or `file:line:column`, where the file may hold spaces and parentheses too */
const placed = /(?:^(?:async )?| \()((?:file:\/\/)?\/.*):(\d+):\d+\)?$/

function frames(error: unknown): Frame[] {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return []
  const found: Frame[] = []
  for (const [, text = ''] of error.stack.slice(0, 2 ** 18).matchAll(/^ {4}at (.+)$/gm)) {
    const place = placed.exec(text)
    if (place?.[1] === undefined) continue
    const file = place[1].startsWith('file://') ? pathOf(place[1]) : place[1]
    if (file === undefined || isOwnFile(file)) continue
    found.push({ text: text.replace(place[1], file), file, line: Number(place[2]) })
    if (found.length === maxFrames) break
  }
  return found
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url)
  } catch {
    return undefined
  }
}
