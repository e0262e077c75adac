import { basename, dirname } from 'node:path'
import { DirRef, FileRef, UrlRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { Attempt } from '../../ports/executor.ts'
import type { ToldAttempt } from '../programs/task-files.ts'

/** A file or directory of this machine at a path in a container. */
export interface Mount {
  readonly source: string
  readonly target: string
  readonly write: boolean
}

/** An attempt as its container sees it. */
export interface Inside {
  readonly attempt: ToldAttempt
  readonly mounts: readonly Mount[]
}

/**
 * Paths in the container are the same on each machine and for each attempt, and say nothing of where things lie:
 *
 *   /almanac/in/<input>/<file name>    a file; of those in lists and objects the way to it comes before its name
 *   /almanac/in/<input>                a directory
 *   /almanac/out/<file name>           where to leave an output
 *   /almanac/work                      the attempt's own directory
 */
export const root = '/almanac'

export function insideOf(attempt: Attempt): Inside {
  const mounts: Mount[] = [{ source: attempt.scratch, target: `${root}/work`, write: true }]
  const inputs = mapFields(attempt.inputs, `${root}/in`, (ref, at) => placed(ref, at, mounts))
  const outputs: Record<string, string> = {}
  const folders = new Map<string, string>()
  for (const [name, path] of Object.entries(attempt.outputs)) {
    const source = dirname(path)
    const target = folders.get(source) ?? `${root}/out${folders.size === 0 ? '' : folders.size + 1}`
    if (!folders.has(source)) mounts.push({ source, target, write: true })
    folders.set(source, target)
    outputs[name] = `${target}/${basename(path)}`
  }
  // an attempt is no plain record: what is to be told of it is taken one by one
  const { env, run, call, attempt: number, idempotencyKey, logicalTime } = attempt
  const scratch = `${root}/work`
  const told = { inputs, outputs, scratch, env, run, call, attempt: number, idempotencyKey, logicalTime }
  return { attempt: told, mounts }
}

function placed<R extends FileRef | DirRef>(ref: R, at: string, mounts: Mount[]): R {
  if (ref.at === undefined) return ref
  const target = ref instanceof FileRef ? `${at}/${ref.name}` : at
  mounts.push({ source: ref.at, target, write: false })
  const { name, digest, size, executable, entries } = ref as FileRef & DirRef
  const inside =
    ref instanceof FileRef
      ? new FileRef(name, digest, size, executable, target)
      : new DirRef(digest, entries, size, target)
  return inside as R
}

type Place = <R extends FileRef | DirRef>(ref: R, at: string) => R

function mapValue(value: Value, at: string, place: Place): Value {
  if (value instanceof FileRef || value instanceof DirRef) return place(value, at)
  if (Array.isArray(value)) return value.map((item: Value, i) => mapValue(item, `${at}/${i}`, place))
  const isPlain =
    value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
  if (!isPlain || value instanceof UrlRef) return value
  return mapFields(value as Readonly<Record<string, Value>>, at, place)
}

const mapFields = (
  fields: Readonly<Record<string, Value>>,
  at: string,
  place: Place,
): Readonly<Record<string, Value>> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value], i) => [
      name,
      mapValue(value, `${at}/${step(name, i)}`, place),
    ]),
  )

/** Names of inputs and fields may be anything; those that are no plain name are numbered. */
const step = (name: string, index: number): string =>
  /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,127}$/u.test(name) && !/^_\d+$/.test(name) ? name : `_${index}`
