import { checkDatasetName } from '../model/dataset.ts'
import { AlmanacError } from '../model/errors.ts'
import type { DirRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { type Future, makeFuture } from './future.ts'
import type { Dir } from './values.ts'

/** A dataset, as a workflow reads it and publishes to it. */
export interface Dataset {
  readonly name: string
  /**
   * The directory of its newest version, or of the one named. A run sees the same version wherever it reads, and sees
   * it again when it goes on after a crash; a new run sees the newest.
   */
  read(options?: { readonly version?: number }): Future<Dir>
  /**
   * Makes a directory its next version: all of it at once, or not at all. It is refused if another version came since
   * the run first asked for the dataset.
   */
  publish(dir: DirRef | PromiseLike<DirRef>, options?: PublishOptions): Future<Published>
}

/** How a version is published. */
export interface PublishOptions {
  /** `newest`: upon whatever is there by then, even if the run has not seen it */
  readonly upon?: 'seen' | 'newest'
  /** also what lacks the entries that failed in a map */
  readonly incomplete?: boolean
  /** tells equal calls apart */
  readonly key?: string
}

/** A version that was published. */
export interface Published {
  readonly dataset: string
  readonly version: number
  readonly dir: Dir
}

/**
 * A dataset by its name: directories with versions, kept from run to run.
 *
 * @throws ALM_DATASET_NAME
 * @example
 * ```ts
 * import { dataset, dir, file, script, workflow, z } from 'almanac'
 *
 * const count = script.task({
 *   name: 'count', lang: 'bash', source: 'ls "$ALMANAC_IN_raw" | wc -l > "$ALMANAC_OUT_summary"',
 *   input: { raw: dir() }, output: { summary: file() },
 * })
 *
 * export default workflow('summary', { input: z.object({ raw: dir() }) }, async ({ raw }) => {
 *   const { summary } = count({ raw })
 *   return dataset('raw/summary').publish(dir.of({ summary }))
 * })
 * ```
 */
export function dataset(name: string): Dataset {
  checkDatasetName(name)
  const ask = <T>(
    kind: 'read' | 'publish',
    args: Value,
    field: readonly string[],
    key?: string,
  ): Future<T> => {
    const caller = requireCaller(`dataset(${JSON.stringify(name)})`)
    return makeFuture<T>(caller, caller.call({ kind, name }, args, key), field, name)
  }
  const head = (): Future<number> => ask('read', { version: null, head: true }, ['version'])
  return {
    name,
    read: ({ version } = {}) => {
      if (version !== undefined && !(Number.isInteger(version) && version > 0))
        throw new AlmanacError('ALM_VALUE_REFUSED', {
          path: 'version',
          why: 'a version is a whole number from 1',
        })
      return ask<Dir>('read', { version: version ?? null, head: false }, ['dir'])
    },
    publish: (dir, { upon = 'seen', incomplete = false, key } = {}) => {
      // asked for at once: what was made from older versions is not to take the place of newer ones
      const parent = upon === 'seen' ? head() : null
      return ask('publish', { dir: toArgs(dir), parent: toArgs(parent), incomplete }, [], key)
    },
  }
}
