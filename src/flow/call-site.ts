import type { SourcePlace } from '../model/task.ts'
import { framePlace, isOwnFile } from '../util/own-frames.ts'

/** Where the author's code called: the first frame outside Almanac. Definitions know by it where they stand. */
export function callSite(): SourcePlace | undefined {
  for (const frame of (new Error().stack ?? '').split('\n').slice(1)) {
    const place = framePlace(frame)
    if (place !== undefined && !isOwnFile(place.file)) return place
  }
  return undefined
}

/**
 * The same place and those of its callers as Node runs them, `file:///a/b.mjs:12:3`: by these another thread finds the
 * very modules. Source maps are left out, which Node does where somebody else makes the text of a stack.
 */
export function definitionStack(): readonly string[] {
  const v8 = Error as unknown as StackMaker
  const { prepareStackTrace: before, stackTraceLimit: limit } = v8
  try {
    v8.stackTraceLimit = 30
    v8.prepareStackTrace = (_error, frames) => frames.map(textOf)
    const stack = new Error().stack as unknown
    return Array.isArray(stack) ? stack.filter(isAuthors) : []
  } finally {
    v8.prepareStackTrace = before
    v8.stackTraceLimit = limit
  }
}

/** What of V8's way to make stacks is used. */
interface StackMaker {
  stackTraceLimit: number
  prepareStackTrace: ((error: Error, frames: readonly StackFrame[]) => unknown) | undefined
}

interface StackFrame {
  getFileName(): string | null
  getLineNumber(): number | null
  getColumnNumber(): number | null
}

const textOf = (frame: StackFrame): string => {
  const file = frame.getFileName() ?? ''
  return `${file.startsWith('/') ? `file://${encodeURI(file)}` : file}:${frame.getLineNumber()}:${frame.getColumnNumber()}`
}

function isAuthors(text: string): boolean {
  const place = framePlace(`at ${text}`)
  return text.startsWith('file://') && place !== undefined && !isOwnFile(place.file)
}
