import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'
import type { CallRequest } from '../../ports/caller.ts'
import { framePlace, isOwnFile } from '../../util/own-frames.ts'

/** Anything that was thrown, as it is kept. What is not of the catalogue comes from the workflow's own code. */
export function recordOf(error: unknown): ErrorRecord {
  if (isAlmanacError(error)) {
    if (error.record !== undefined) return error.record
    const place = placeOf(error.stack)
    // a stack without a line of the author's tells of nothing but Almanac itself
    const isTelling = place.file !== undefined || error.code === 'ALM_BUG'
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      ...place,
      ...(isTelling && error.stack !== undefined && { stack: error.stack }),
    }
  }
  const message =
    error instanceof Error ? error.message : `something that is no error was thrown: ${preview(error)}`
  const failure = new AlmanacError('ALM_WORKFLOW_FAILED', { message })
  const stack = error instanceof Error ? error.stack : undefined
  return {
    code: failure.code,
    message: failure.message,
    hint: failure.hint,
    ...(error instanceof Error && { type: error.name }),
    ...placeOf(stack),
    ...(stack !== undefined && { stack }),
  }
}

/** What the author may call it: what it says that it is, and its classes, without their modules. */
export function typesOf({ type, types = [] }: ErrorRecord): readonly string[] {
  const names = types.map((name) => name.slice(name.lastIndexOf('.') + 1))
  return type === undefined ? names : [type, ...names]
}

/** What names no line of the author's names the one where the task is defined, or of the call that cannot be carried out. */
export function placed(error: ErrorRecord, { kind, task, calledAt }: CallRequest): ErrorRecord {
  if (error.file !== undefined) return error
  const { file, line } =
    (kind === 'task' || kind === 'entry' ? task?.definedAt : placeOf(calledAt?.stack)) ?? {}
  return file === undefined || line === undefined ? error : { ...error, file, line }
}

/** The first place in a stack that is the author's: not Node's own, not Almanac's, not a package's. */
export function placeOf(stack: string | undefined): { file?: string; line?: number } {
  for (const frame of (stack ?? '').split('\n').slice(1)) {
    const place = framePlace(frame)
    if (place === undefined || isOwnFile(place.file) || place.file.includes('/node_modules/')) continue
    return { file: place.file, line: place.line }
  }
  return {}
}

const preview = (value: unknown): string => {
  try {
    return JSON.stringify(value)?.slice(0, 200) ?? String(value)
  } catch {
    return typeof value
  }
}
