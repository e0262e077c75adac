import { DirRef, FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { isPlainObject } from '../../util/plain-object.ts'
import type { Workbench } from '../../workbench.ts'

/** Files and directories of an output that are given a place, and files of such a directory at most. */
const mostPlaces = 1000
const mostFiles = 10_000

/**
 * An output for a program: its files and directories with where they are, read only, and the same however often the
 * workflow runs again. What is too much for that is as it was.
 */
export function withPaths(output: Value, data: Pick<Workbench['data'], 'open'>): Promise<Value> {
  let places = 0
  const place = async (value: Value): Promise<Value> => {
    if (value instanceof FileRef && places++ < mostPlaces)
      return new FileRef(value.name, value.digest, value.size, value.executable, await data.open(value))
    if (value instanceof DirRef && value.entries <= mostFiles && places++ < mostPlaces)
      return new DirRef(value.digest, value.entries, value.size, await data.open(value))
    if (Array.isArray(value)) return Promise.all(value.map(place))
    if (!isPlainObject(value)) return value
    const fields = Object.entries(value).map(async ([name, field]) => [name, await place(field)] as const)
    return Object.fromEntries(await Promise.all(fields))
  }
  return place(output)
}
