import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatasetKey, DatasetVersion } from '../model/dataset.ts'
import type { Digest } from '../model/refs.ts'
import { DirRef } from '../model/refs.ts'
import type { Datasets } from '../ports/datasets.ts'
import type { Objects } from '../ports/objects.ts'
import { inStore } from './failures.ts'
import { versionFolder } from './shared/layout.ts'

/** A store that others read too. */
export interface SharedVersions {
  readonly objects: Objects
  readonly push: (dirs: readonly DirRef[]) => Promise<void>
  /** shows datasets at plain keys too */
  readonly show?: (name: string, digest: Digest) => Promise<void>
  /** runs work that is waited for before the process ends, and says what goes wrong */
  readonly inBackground: (work: () => Promise<void>) => void
}

/**
 * Versions of datasets as plain documents beside the journal, which anybody can read:
 * `versions/<environment>/<dataset>/<version>-<digest>.json` on the disk, and in a shared store once all of its content
 * is there. Machines number their versions apart, so the name has the digest too.
 */
export function withVersionFiles(own: Datasets, home: string, shared: SharedVersions | undefined): Datasets {
  // one after the other, the newest last
  let showing: Promise<void> = Promise.resolve()
  const write = (version: DatasetVersion) => {
    const key = keyOf(version, nameOf(version))
    const text = `${JSON.stringify({ format: 1, ...version })}\n`
    writeFile(join(home, key), text)
    // what lies with the user is nowhere else
    if (shared === undefined || (version.at !== undefined && !version.kept)) return
    shared.inBackground(async () => {
      await shared.push([new DirRef(version.digest, version.entries, version.size)])
      const { at: _, ...elsewhere } = version
      const bytes = Buffer.from(`${JSON.stringify({ format: 1, ...elsewhere })}\n`)
      await shared.objects.put(key, bytes, { once: true })
    })
    const { show } = shared
    if (show === undefined) return
    shared.inBackground(() => {
      showing = showing.catch(() => undefined).then(() => show(plainName(version), version.digest))
      return showing
    })
  }
  return {
    add: async (version) => {
      const added = await own.add(version)
      write(added)
      return added
    },
    version: (key, version) => own.version(key, version),
    versions: (key, query) => own.versions(key, query),
    list: (environment, query) => own.list(environment, query),
    setSource: (key, source, at) => own.setSource(key, source, at),
    checkName: (key) => own.checkName(key),
    source: (key) => own.source(key),
    remove: async (key, versions, at) => {
      const gone = await namesOf(own, key, versions)
      const removed = await own.remove(key, versions, at)
      for (const name of gone) inStore(home, () => rmSync(join(home, keyOf(key, name)), { force: true }))
      shared?.inBackground(() => shared.objects.remove(gone.map((name) => keyOf(key, name))))
      return removed
    },
  }
}

const nameOf = ({ version, digest }: DatasetVersion): string =>
  `${String(version).padStart(6, '0')}-${digest.slice(0, 12)}.json`

const plainName = ({ environment, dataset, partition }: DatasetKey): string =>
  [
    encodeURIComponent(environment),
    dataset,
    ...(partition === '' ? [] : [encodeURIComponent(partition)]),
  ].join('/')

/** Names of partitions have any letters; `=` is in no name of a dataset. */
function keyOf({ environment, dataset, partition }: DatasetKey, name: string): string {
  const slice = partition === '' ? '' : `partition=${encodeURIComponent(partition)}/`
  return `${versionFolder}${encodeURIComponent(environment)}/${dataset}/${slice}${name}`
}

async function namesOf(
  own: Datasets,
  key: DatasetKey,
  versions: readonly number[] | undefined,
): Promise<string[]> {
  const names: string[] = []
  for (let before: number | undefined; ; ) {
    const page: readonly DatasetVersion[] = await own.versions(key, {
      limit: 1000,
      ...(before !== undefined && { before }),
    })
    for (const version of page) if (versions?.includes(version.version) ?? true) names.push(nameOf(version))
    before = page.at(-1)?.version
    if (page.length < 1000) return names
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
