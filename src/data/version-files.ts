import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatasetKey, DatasetVersion } from '../model/dataset.ts'
import type { Digest } from '../model/refs.ts'
import { DirRef } from '../model/refs.ts'
import type { Datasets } from '../ports/datasets.ts'
import type { Objects } from '../ports/objects.ts'
import { inStore } from './files/failures.ts'
import { versionFolder } from './shared/layout.ts'

/** A store that others read too. */
export interface SharedVersions {
  readonly objects: Objects
  readonly push: (dirs: readonly DirRef[]) => Promise<void>
  /** shows datasets at plain keys too; `instead`: only where one of these is shown */
  readonly show?: (
    name: string,
    newest: () => Promise<Digest | undefined>,
    instead?: ReadonlySet<Digest>,
  ) => Promise<void>
  /** runs work that is waited for before the process ends, and says what goes wrong */
  readonly inBackground: (work: () => Promise<void>) => void
}

/**
 * Versions of datasets as plain documents beside the journal, which anybody can read:
 * `versions/<environment>/<dataset>/<version>-<digest>.json` on the disk, and in a shared store once all of its content
 * is there. Machines number their versions apart, so the name has the digest too.
 */
export function withVersionFiles(own: Datasets, home: string, shared: SharedVersions | undefined): Datasets {
  // one after the other
  let showing: Promise<void> = Promise.resolve()
  const showNewest = (key: DatasetKey, instead?: ReadonlySet<Digest>) => {
    const show = shared?.show
    if (show === undefined) return
    shared?.inBackground(() => {
      showing = showing
        .catch(() => undefined)
        .then(() => show(plainName(key), () => newestThere(own, key), instead))
      return showing
    })
  }
  const write = (version: DatasetVersion) => {
    const key = keyOf(version, nameOf(version))
    const text = `${JSON.stringify({ format: 1, ...version })}\n`
    writeFile(join(home, key), text)
    if (shared === undefined || isElsewhere(version)) return
    shared.inBackground(async () => {
      await shared.push([new DirRef(version.digest, version.entries, version.size)])
      const { at: _, ...elsewhere } = version
      const bytes = Buffer.from(`${JSON.stringify({ format: 1, ...elsewhere })}\n`)
      await shared.objects.put(key, bytes, { once: true })
    })
  }
  return {
    add: async (version) => {
      const added = await own.add(version)
      write(added)
      // it may be an earlier one
      showNewest(added)
      return added
    },
    version: (key, version) => own.version(key, version),
    versions: (key, query) => own.versions(key, query),
    list: (environment, query) => own.list(environment, query),
    setSource: (key, source, at) => own.setSource(key, source, at),
    checkName: (key) => own.checkName(key),
    source: (key) => own.source(key),
    remove: async (key, versions, at) => {
      const gone = await versionsOf(own, key, versions)
      const removed = await own.remove(key, versions, at)
      const keys = gone.map((version) => keyOf(key, nameOf(version)))
      for (const one of keys) inStore(home, () => rmSync(join(home, one), { force: true }))
      shared?.inBackground(() => shared.objects.remove(keys))
      // another machine may have shown its own since
      showNewest(key, new Set(gone.map(({ digest }) => digest)))
      return removed
    },
  }
}

/** It lies with the user, and nowhere else. */
const isElsewhere = ({ at, kept }: DatasetVersion): boolean => at !== undefined && !kept

async function newestThere(own: Datasets, key: DatasetKey): Promise<Digest | undefined> {
  const newest = await own.version(key)
  return newest === undefined || isElsewhere(newest) ? undefined : newest.digest
}

const nameOf = ({ version, digest }: DatasetVersion): string =>
  `${String(version).padStart(6, '0')}-${digest.slice(0, 12)}.json`

const plainName = ({ environment, dataset, partition }: DatasetKey): string =>
  [
    encodeURIComponent(environment),
    dataset,
    ...(partition === '' ? [] : [encodeURIComponent(partition)]),
  ].join('/')

/** Names of partitions have any characters; `=` is in no name of a dataset. */
function keyOf({ environment, dataset, partition }: DatasetKey, name: string): string {
  const slice = partition === '' ? '' : `partition=${encodeURIComponent(partition)}/`
  return `${versionFolder}${encodeURIComponent(environment)}/${dataset}/${slice}${name}`
}

async function versionsOf(
  own: Datasets,
  key: DatasetKey,
  versions: readonly number[] | undefined,
): Promise<DatasetVersion[]> {
  const found: DatasetVersion[] = []
  for (let before: number | undefined; ; ) {
    const page: readonly DatasetVersion[] = await own.versions(key, {
      limit: 1000,
      ...(before !== undefined && { before }),
    })
    for (const version of page) if (versions?.includes(version.version) ?? true) found.push(version)
    before = page.at(-1)?.version
    if (page.length < 1000) return found
  }
}

function writeFile(path: string, text: string): void {
  inStore(path, () => {
    mkdirSync(dirname(path), { recursive: true })
    const temporary = `${path}.${crypto.randomUUID()}.tmp`
    try {
      writeFileSync(temporary, text)
      renameSync(temporary, path)
    } finally {
      rmSync(temporary, { force: true })
    }
  })
}
