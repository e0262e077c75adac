import { AlmanacError } from '../../model/errors.ts'
import { inStore } from '../files/failures.ts'
import { errorOf, failureOf } from '../jobs/failure.ts'
import type { Presence } from '../processes/presence.ts'
import { type Adopting, type AdoptRunner, adoptFiles } from './adopt-files.ts'
import type { Adopted, BlobFiles } from './blob-files.ts'
import { jobBatches, totalSize } from './job-batches.ts'
import { giveBackFile } from './link-file.ts'
import type { UnsyncedBlobs } from './unsynced-blobs.ts'
import type { WholeTrees } from './whole-trees.ts'

/** A file, and about how large it is. */
export interface SizedFile {
  readonly path: string
  readonly size: number
}

/** A file, and what came of it. */
export type TakenFile = readonly [path: string, adopted: Adopted]

interface Tools {
  readonly files: BlobFiles
  readonly pool: AdoptRunner
  readonly presence: Presence
  readonly unsynced: UnsyncedBlobs
  readonly whole: WholeTrees
}

/** As many files are taken without a thread as are together no larger. */
const littleBytes = 1 << 20

/** More batches than any pool has threads. */
const lanes = 8

/**
 * Takes files into the store: moves them, or links them there.
 *
 * A1 what was linked is its owner's alone again, as it was, if not all could be taken; what cannot be given back is told.
 */
export class Adoption {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async all(files: readonly SizedFile[], how: 'move' | 'link'): Promise<readonly Adopted[]> {
    const batches = jobBatches(files)
    const taken = await this.#take(batches, how)
    const failure = taken.find((one) => one?.failure !== undefined)?.failure
    if (failure === undefined) return taken.flatMap((one) => one?.adopted ?? [])
    if (how === 'move') throw errorOf(failure)
    const linked = batches.flatMap((batch, i) =>
      (taken[i]?.adopted ?? []).map((adopted, j): TakenFile => [(batch[j] as SizedFile).path, adopted]),
    )
    throw this.undone(linked, errorOf(failure))
  }

  /**
   * Gives back files that were linked, as something went wrong since, and gives the error to throw then. Where others
   * use the store, one of them may need by now what was put there: they stay linked, and it says so.
   */
  undone(taken: readonly TakenFile[], error: unknown): unknown {
    const { files, presence, unsynced, whole } = this.#tools
    const linked = taken.filter(([, adopted]) => adopted.linked !== undefined)
    if (linked.length === 0) return error
    whole.changed()
    const alone = inStore(files.store, () => presence.isAlone())
    const left = linked.filter(([path, adopted]) => {
      if (!alone || !giveBackFile(files, path, adopted)) return true
      unsynced.forget(adopted.digest)
      return false
    })
    const [first] = left
    if (first === undefined) return error
    const why = error instanceof Error ? error.message : String(error)
    return new AlmanacError('ALM_MOVE_HALF', { why, count: left.length, path: first[0] }, { cause: error })
  }

  /** All that began has ended when it resolves; after one that failed no other begins. */
  async #take(
    batches: readonly (readonly SizedFile[])[],
    how: 'move' | 'link',
  ): Promise<readonly (Adopting | undefined)[]> {
    const { files, pool, unsynced } = this.#tools
    const taken: (Adopting | undefined)[] = batches.map(() => undefined)
    const here = batches.length < 2 && totalSize(batches.flat()) <= littleBytes
    const queue = batches.entries()
    let failed = false
    const lane = async () => {
      for (const [i, batch] of queue) {
        const job = { kind: 'adopt' as const, how, files, paths: batch.map(({ path }) => path) }
        const done = here ? adoptFiles(job) : await pool.run(job).catch(failing)
        taken[i] = done
        for (const { digest, fresh, size } of done.adopted)
          unsynced.add(digest, fresh, how === 'link' ? size : 0)
        failed ||= done.failure !== undefined
        if (failed) return
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return taken
  }
}

const failing = (error: unknown): Adopting => ({ adopted: [], failure: failureOf(error) })
