import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildFailure, Message } from 'esbuild'
import { AlmanacError, errorRecord } from '../model/errors.ts'
import type { SourcePlace } from '../model/task.ts'

/** Why a file could not be loaded, in the author's own files and lines. */

export interface LoadFailure {
  readonly file: string
  readonly why: string
  readonly place: SourcePlace | undefined
  readonly type?: string
  readonly stack?: string
  readonly cause?: unknown
}

export function loadFailed(project: string, failure: LoadFailure): AlmanacError {
  const { file, why, place, type, stack, cause } = failure
  const at = place === undefined ? '' : `${shown(project, place.file)}:${place.line}:${place.column ?? 1}: `
  const details = {
    file: shown(project, file),
    why: `${at}${why}`,
    ...(place !== undefined && { source: place.file, line: place.line, column: place.column }),
  }
  const record = errorRecord('ALM_LOAD_FAILED', details, {
    file: place?.file ?? file,
    ...(place !== undefined && { line: place.line }),
    ...(type !== undefined && { type }),
    ...(stack !== undefined && { stack }),
  })
  return new AlmanacError('ALM_LOAD_FAILED', details, { record, ...(cause !== undefined && { cause }) })
}

/** A path as a person reads it: within the project by its path there. */
export function shown(project: string, path: string): string {
  const short = relative(project, path)
  return short === '' || short.startsWith('..') ? path : short
}

export const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors) && 'warnings' in error

export function fromBuild(project: string, file: string, failure: BuildFailure): AlmanacError {
  const [first, ...others] = failure.errors as readonly Message[]
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  return loadFailed(project, {
    file,
    why: `${first?.text ?? failure.message}${more}`,
    place: first === undefined ? undefined : placeOf(project, first),
    cause: failure,
  })
}

/** esbuild counts columns from 0. */
function placeOf(project: string, { location }: Message): SourcePlace | undefined {
  if (location === null) return undefined
  return { file: resolve(project, location.file), line: location.line, column: location.column + 1 }
}

/** What was thrown while the bundle was imported. */
export function fromImport(
  project: string,
  file: string,
  inputs: ReadonlySet<string>,
  error: unknown,
): AlmanacError {
  const thrown = error instanceof Error
  const stack = thrown ? (error.stack ?? '') : ''
  const why = thrown ? withPackageNames(error.message) : `it threw ${String(error)}`
  return loadFailed(project, {
    file,
    why,
    place: frameIn(stack, inputs) ?? linkPlace(stack, inputs),
    ...(thrown && { type: error.name, stack }),
    cause: error,
  })
}

/** First frame of a stack that is in one of the author's files. */
function frameIn(stack: string, inputs: ReadonlySet<string>): SourcePlace | undefined {
  for (const [, at, line, column] of stack.matchAll(/^\s+at (?:.*? \()?(.+?):(\d+):(\d+)\)?$/gm)) {
    const file = pathOf(at as string)
    if (inputs.has(file)) return { file, line: Number(line), column: Number(column) }
  }
  return undefined
}

const pathOf = (at: string): string => (at.startsWith('file://') ? fileURLToPath(at) : at)

/** Errors of linking (a package has no such export) begin with a line of a file, and point at its column. */
function linkPlace(stack: string, inputs: ReadonlySet<string>): SourcePlace | undefined {
  const [head = '', , pointer = ''] = stack.split('\n')
  const at = /^(.+):(\d+)$/.exec(head)
  const file = at === null ? '' : pathOf(at[1] as string)
  if (at === null || !inputs.has(file)) return undefined
  return { file, line: Number(at[2]), column: Math.max(0, pointer.indexOf('^')) + 1 }
}

/** Packages are named by where they lie when they are imported; people know them by their names. */
const withPackageNames = (message: string): string =>
  message.replace(/'file:\/\/[^']*\/node_modules\/((?:@[^/']+\/)?[^/']+)[^']*'/g, "'$1'")
