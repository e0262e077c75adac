import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import { type DirRef, FileRef } from '../../model/refs.ts'
import type { SourceSecrets } from '../../model/source.ts'
import type { BucketPlace, RemoteObjects } from '../../ports/remote-objects.ts'
import { bytesText } from '../limits.ts'
import type { LiveAttempt } from '../live-attempt.ts'
import { asker, bucketManner, bucketOf, listedIn } from './bucket.ts'
import { type Fetched, fetchFile } from './fetch-file.ts'
import { type FileRequest, fileRequestsOf, type Manner, mannerOf } from './request.ts'
import type { FetchTools } from './tools.ts'

/** Files of one call under way at once, whatever their hosts bear. */
const lanes = 32
/** So many files that cannot be had are enough to know. */
const enoughFailures = 20

/** All files of a call as one directory, or none. */
export async function fetchAll(
  given: Omit<FetchTools, 'received'>,
  live: LiveAttempt<AbortController>,
  secrets: SourceSecrets,
): Promise<DirRef> {
  const args = live.attempt.inputs
  return await fetchEach(given, live, mannerOf(args, secrets), fileRequestsOf(args, secrets))
}

/** All objects under a prefix of a bucket as one directory, or none. */
export async function fetchObjects(
  given: Omit<FetchTools, 'received' | 'client'>,
  live: LiveAttempt<AbortController>,
  open: (place: BucketPlace) => Promise<RemoteObjects>,
): Promise<DirRef> {
  const args = live.attempt.inputs
  const place = bucketOf(args)
  const objects = await open(place)
  try {
    const wanted = await listedIn(objects, place, args, given.signal)
    return await fetchEach({ ...given, client: asker(objects) }, live, bucketManner(args), wanted)
  } finally {
    objects.close()
  }
}

async function fetchEach(
  given: Omit<FetchTools, 'received'>,
  live: LiveAttempt<AbortController>,
  manner: Manner,
  wanted: readonly FileRequest[],
): Promise<DirRef> {
  const sum = { done: 0, bytes: 0, unchanged: 0, missing: 0 }
  const progress = (): void =>
    live.note({
      type: 'progress',
      name: '',
      body: { done: sum.done, total: wanted.length, bytes: sum.bytes },
    })
  const files = new Map<string, FileRef>()
  const failures: AlmanacError[] = []
  const stop = new AbortController()
  const tools: FetchTools = {
    ...given,
    signal: AbortSignal.any([given.signal, stop.signal]),
    received: (bytes) => {
      sum.bytes += bytes
      progress()
    },
  }
  const queue = wanted[Symbol.iterator]()
  const lane = async (): Promise<void> => {
    for (const one of queue) {
      const fetched = await fetchFile(tools, one, manner).catch((error: unknown) => {
        // what is wrong here, and not there, stops all
        if (!isAlmanacError(error) || !error.code.startsWith('ALM_SOURCE_')) throw error
        failures.push(error)
      })
      if (failures.length >= enoughFailures) return
      sum.done++
      if (fetched !== undefined) files.set(one.path, fileOf(one, fetched))
      else sum.missing++
      if (fetched?.unchanged === true) sum.unchanged++
      progress()
    }
  }
  const guarded = (): Promise<void> =>
    lane().catch((error: unknown) => {
      // the others end before this is told: nothing of the call goes on after its end
      if (!stop.signal.aborted) stop.abort(error)
    })
  await Promise.all(Array.from({ length: Math.min(lanes, wanted.length) }, guarded))
  tools.signal.throwIfAborted()
  const [first] = failures
  if (first !== undefined) {
    if (wanted.length === 1) throw first
    const failed = failures.length
    throw new AlmanacError('ALM_SOURCE_INCOMPLETE', { failed, all: wanted.length, message: first.message })
  }
  const dir = await tools.downloads.assemble(files)
  const fetched = files.size - sum.unchanged
  live.log(
    'log',
    `${fetched} of ${wanted.length} files fetched (${bytesText(sum.bytes)}), ${sum.unchanged} unchanged` +
      (sum.missing > 0 ? `, ${sum.missing} not there` : ''),
  )
  return dir
}

function fileOf({ path }: FileRequest, { digest, size }: Fetched): FileRef {
  return new FileRef(path.slice(path.lastIndexOf('/') + 1), digest, size)
}
