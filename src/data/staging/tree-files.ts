import { mkdirSync } from 'node:fs'
import { walk } from '../../core/tree/walk.ts'
import type { Digest } from '../../model/refs.ts'
import { Semaphore } from '../../util/semaphore.ts'
import type { Listings } from '../blobs/listings.ts'
import { batches } from '../files/batches.ts'
import { inStore } from '../files/failures.ts'
import type { CopyJob, CopyRunner, CopyTarget } from './copy-files.ts'
import type { Source, Sources } from './sources.ts'
import { nameOf } from './sources.ts'

/** Fewer are put in place without a thread. */
const fewFiles = 256
const jobFiles = 256

interface Tools {
  readonly pool: CopyRunner
  readonly listings: Listings
  readonly sources: Sources
}

/** Files whose place is asked for at once. */
const atOnce = 32

/** Until it is known. */
const nowhere: Source = { path: '', external: false }

interface PlacedFile {
  readonly path: string
  readonly digest: Digest
  readonly executable: boolean
  readonly source: Source
}

/** A tree as files of the user's own in a new directory. */
export async function copyTree(tools: Tools, root: Digest, target: string, near?: string): Promise<void> {
  const { placed } = await layOut(tools, root, target, near)
  const targets = placed.map(
    ({ path, digest, executable, source }): CopyTarget => ({
      path,
      digest,
      executable,
      from: source.path,
      external: source.external,
    }),
  )
  await runJobs(tools.pool, targets, (some) => ({ kind: 'copy', targets: some }))
}

/** Makes the directories and finds the source of each file before any of them is put anywhere. `near`: where the tree lay with the user. */
async function layOut({ listings, sources }: Tools, root: Digest, target: string, near: string | undefined) {
  const semaphore = new Semaphore(atOnce)
  const made = new Set<string>()
  const directories: string[] = []
  const makeDirectory = (path: string): void => {
    if (made.has(path)) return
    if (path !== target) makeDirectory(path.slice(0, path.lastIndexOf('/')))
    inStore(path, () => mkdirSync(path))
    made.add(path)
    directories.push(path)
  }
  makeDirectory(target)
  const placed: PlacedFile[] = []
  const coming: Promise<unknown>[] = []
  for await (const { path, kind, digest, size, executable } of listings.find(walk(root))) {
    const full = `${target}/${path}`
    makeDirectory(kind === 'file' ? full.slice(0, full.lastIndexOf('/')) : full)
    if (kind === 'empty-dir') continue
    const content = { name: nameOf(path), digest, size, executable }
    const source = sources.inStore(content)
    if (source !== undefined) placed.push({ path: full, digest, executable, source })
    else {
      // by the user, or on its way from a shared store: many at once
      const found = semaphore.run(() => sources.of(content, near && `${near}/${path}`))
      const place = placed.length
      placed.push({ path: full, digest, executable, source: nowhere })
      coming.push(
        found.then((one) => {
          placed[place] = { path: full, digest, executable, source: one }
        }),
      )
    }
  }
  await Promise.allSettled(coming)
  await Promise.all(coming)
  return { directories, placed }
}

async function runJobs<T>(
  pool: CopyRunner,
  targets: readonly T[],
  jobOf: (targets: readonly T[]) => CopyJob,
): Promise<void> {
  const jobs = batches(targets, jobFiles).map(jobOf)
  if (targets.length <= fewFiles) for (const job of jobs) pool.runHere(job)
  else await pool.runAll(jobs)
}
