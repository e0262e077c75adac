import type { DatasetVersion } from '../../model/dataset.ts'
import { isAlmanacError } from '../../model/errors.ts'
import { type Digest, DirRef, FileRef } from '../../model/refs.ts'
import type { DataPlane } from '../../ports/data.ts'
import type { Datasets } from '../../ports/datasets.ts'
import { showNewest } from './publish.ts'

/** What was found wrong with datasets. */
export interface DatasetFinding {
  /** `raw@3` */
  readonly version: string
  /** of the file, where it is about one */
  readonly path?: string
  readonly why: string
  /** is it right again? */
  readonly restored: boolean
}

interface CarePorts {
  readonly datasets: Datasets
  readonly data: DataPlane
}

/** Of what is lost so many files are named. */
const named = 100

/**
 * Looks whether the content of all versions is there, brings back what can be had elsewhere, and puts shown files right
 * that somebody wrote to. `damaged`: content that was found to be, and taken out of use.
 */
export async function checkDatasets(
  { datasets, data }: CarePorts,
  environment: string,
  damaged: ReadonlySet<Digest>,
): Promise<readonly DatasetFinding[]> {
  const findings: DatasetFinding[] = []
  for await (const dataset of namesOf(datasets, environment)) {
    const key = { environment, dataset, partition: '' }
    // what was taken out of use, and is there again or not
    const told = new Set<Digest>()
    let sound: DirRef | undefined
    for await (const version of versionsOf(datasets, key)) {
      if (version.at !== undefined && !version.kept) continue
      const dir = new DirRef(version.digest, version.entries, version.size)
      const wasLost = damaged.size === 0 ? [] : await placesOf(data, dir, damaged, told)
      const failure = await failureOf(() => data.keep(dir, sound))
      if (failure === undefined) sound = dir
      for (const { path, digest } of wasLost)
        findings.push({
          version: `${dataset}@${version.version}`,
          path,
          why: 'its content was damaged',
          restored: failure === undefined || (await data.available(new FileRef('', digest, 0))),
        })
      if (failure !== undefined && wasLost.length === 0)
        findings.push(...(await lostOf(data, dir, version, failure)))
    }
    const seen = findings.flatMap(({ version, path }) => (path === undefined ? [] : [`${version} ${path}`]))
    findings.push(...(await checkShown({ datasets, data }, key, new Set(seen))))
  }
  return findings
}

async function* namesOf(datasets: Datasets, environment: string): AsyncGenerator<string> {
  const limit = 200
  let after: string | undefined
  for (;;) {
    const rows = await datasets.list(environment, { limit, ...(after !== undefined && { after }) })
    for (const { dataset } of rows) yield dataset
    if (rows.length < limit) return
    after = rows.at(-1)?.dataset
  }
}

type Key = Pick<DatasetVersion, 'environment' | 'dataset' | 'partition'>

async function* versionsOf(datasets: Datasets, key: Key): AsyncGenerator<DatasetVersion> {
  const limit = 200
  let before: number | undefined
  for (;;) {
    const page = await datasets.versions(key, { limit, ...(before !== undefined && { before }) })
    yield* page
    if (page.length < limit) return
    before = page.at(-1)?.version
  }
}

/** Files of a directory with one of the contents, each content told once. */
async function placesOf(
  data: DataPlane,
  dir: DirRef,
  digests: ReadonlySet<Digest>,
  told: Set<Digest>,
): Promise<{ readonly path: string; readonly digest: Digest }[]> {
  const places: { path: string; digest: Digest }[] = []
  await failureOf(async () => {
    for await (const { kind, path, digest } of data.entries(dir)) {
      if (kind !== 'file' || !digests.has(digest) || told.has(digest)) continue
      told.add(digest)
      places.push({ path, digest })
    }
  })
  return places
}

/** Which files of a version are lost. */
async function lostOf(
  data: DataPlane,
  dir: DirRef,
  { dataset, version }: DatasetVersion,
  failure: string,
): Promise<DatasetFinding[]> {
  const lost: DatasetFinding[] = []
  const name = `${dataset}@${version}`
  const listing = await failureOf(async () => {
    for await (const { kind, path, digest, size } of data.entries(dir)) {
      if (kind !== 'file' || (await data.available(new FileRef(path.replace(/^.*\//, ''), digest, size))))
        continue
      lost.push({ version: name, path, why: 'its content is gone', restored: false })
      if (lost.length === named) return
    }
  })
  if (listing !== undefined || lost.length === 0)
    lost.push({ version: name, why: listing ?? failure, restored: false })
  return lost
}

/** The plain files: whoever wrote to one wrote to a copy, or to the content itself, which was looked at before. */
async function checkShown(ports: CarePorts, key: Key, told: ReadonlySet<string>): Promise<DatasetFinding[]> {
  const newest = await ports.datasets.version(key)
  if (newest === undefined || newest.at !== undefined) return []
  const version = `${newest.dataset}@${newest.version}`
  const findings: DatasetFinding[] = []
  try {
    await ports.data.verify([new DirRef(newest.digest, newest.entries, newest.size)])
  } catch (error) {
    if (!isAlmanacError(error)) throw error
    if (error.code === 'ALM_TASK_WROTE_INPUT') {
      const path = String(error.details['path'] ?? '').replace(/^.*\/[0-9a-f]{64}\//, '')
      if (!told.has(`${version} ${path}`))
        findings.push({ version, path, why: 'somebody wrote to what is shown', restored: true })
    }
  }
  try {
    await showNewest(ports, key)
  } catch (error) {
    if (!isAlmanacError(error)) throw error
    // where nothing can be written nothing needs to be that is shown already
    const isShown = async () => (await ports.data.shown(key.environment, key.dataset)) === newest.digest
    if (error.code !== 'ALM_STORE_READ_ONLY' || !(await isShown()))
      findings.push({ version, why: `it cannot be shown: ${error.message}`, restored: false })
  }
  return findings
}

/** What went wrong, in words; what is no failure of data is thrown. */
async function failureOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!isAlmanacError(error)) throw error
    return error.message
  }
}
