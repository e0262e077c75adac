import {
  checkDatasetName,
  type DatasetKey,
  type DatasetSource,
  type DatasetVersion,
} from '../../model/dataset.ts'
import { AlmanacError } from '../../model/errors.ts'
import { DirRef } from '../../model/refs.ts'
import type { DataPlane, Moved } from '../../ports/data.ts'
import type { Datasets, Publish } from '../../ports/datasets.ts'

/** What a person adds to a dataset. */
export interface Addition {
  readonly environment: string
  readonly dataset: string
  /** absolute */
  readonly path: string
  /**
   * `external`: it is left where it is, and scanned again whenever the dataset is read; `keep`: and its content is kept
   * in the store as well; `managed`: its content is copied into the store; `move`: or moved there
   */
  readonly how: 'external' | 'keep' | 'managed' | 'move'
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly settleMs?: number
}

/** What came of it. */
export interface Added {
  readonly version: DatasetVersion
  /** nothing differs from the version before: there is no new one */
  readonly unchanged: boolean
  /** files that may still be written to, absolute */
  readonly leftOut: readonly string[]
  /** of what was moved: files that came or changed meanwhile, and what could not be removed, absolute */
  readonly leftBehind: readonly string[]
}

interface AddPorts {
  readonly datasets: Datasets
  readonly data: DataPlane
  readonly publish: Publish
  readonly now: () => number
}

/** Adds what lies at a path as a version. @throws ALM_INPUT_MISSING, ALM_PATH_REFUSED, ALM_DATASET_NAME, … */
export async function addToDataset(ports: AddPorts, addition: Addition): Promise<Added> {
  const { datasets, publish, now } = ports
  const { environment, dataset, how, path } = addition
  const key = { environment, dataset, partition: '' }
  await checkAddable(ports, addition)
  const before = await datasets.version(key)
  const leftOut: string[] = []
  const { dir, place, remove, undo } = await found(ports, addition, leftOut)
  let version: DatasetVersion
  try {
    version = await publish({ ...key, dir, place, maker: 'data add' })
  } catch (error) {
    throw undo === undefined || (await isOnRecord(datasets, key, dir)) ? error : await undo(error)
  }
  const source = how === 'external' || how === 'keep' ? sourceOf(addition, dir.at ?? path) : undefined
  const known = await datasets.source(key)
  if (JSON.stringify(known) !== JSON.stringify(source)) await datasets.setSource(key, source, now())
  // only now: whoever is killed before has all of it where it was
  const leftBehind = (await remove?.()) ?? []
  return { version, unchanged: version.seq === before?.seq, leftOut, leftBehind }
}

/** It may have failed after that: then the files are the version's. Where nobody can tell, they may be. */
async function isOnRecord(datasets: Datasets, key: DatasetKey, { digest }: DirRef): Promise<boolean> {
  try {
    return (await datasets.versions(key, { limit: 100 })).some((version) => version.digest === digest)
  } catch {
    return true
  }
}

/** What cannot be added is said before anything is read or copied. @throws ALM_USAGE, ALM_DATASET_NAME, ALM_TARGET_EXISTS, … */
async function checkAddable(
  { datasets, data }: AddPorts,
  { environment, dataset, how, include, exclude, settleMs }: Addition,
): Promise<void> {
  if (how === 'move') refusePart({ '--include': include, '--exclude': exclude, '--settle': settleMs })
  checkDatasetName(dataset)
  await datasets.checkName({ environment, dataset })
  if (how === 'managed' || how === 'move') await data.checkShown(environment, dataset)
}

/** @throws ALM_USAGE */
function refusePart(flags: Readonly<Record<string, unknown>>): void {
  const flag = Object.keys(flags).find((one) => flags[one] !== undefined)
  if (flag === undefined) return
  const why = `--move and ${flag} exclude each other: all that lies there is moved; --managed copies a part`
  throw new AlmanacError('ALM_USAGE', { why })
}

async function found(
  { data }: AddPorts,
  addition: Addition,
  leftOut: string[],
): Promise<{
  readonly dir: DirRef
  readonly place: 'store' | 'outside' | 'both'
  readonly remove?: Moved['remove']
  readonly undo?: Moved['undo']
}> {
  const { how, path, include, exclude, settleMs } = addition
  if (how === 'move') {
    const { ref, remove, undo } = await data.moveIn(path)
    const dir =
      ref instanceof DirRef
        ? ref
        : await data.assemble([[ref.name, ref]]).catch(async (error: unknown) => {
            throw await undo(error)
          })
    return { dir, place: 'store', remove, undo }
  }
  const ref = await data.scan(path, {
    keep: how !== 'external',
    onLeftOut: (left) => leftOut.push(left),
    ...(include !== undefined && { include }),
    ...(exclude !== undefined && { exclude }),
    ...(settleMs !== undefined && { settleMs }),
  })
  const place = how === 'managed' ? 'store' : how === 'keep' ? 'both' : 'outside'
  if (ref instanceof DirRef)
    return { dir: new DirRef(ref.digest, ref.entries, ref.size, ref.at ?? path), place }
  if (how === 'managed') return { dir: await data.assemble([[ref.name, ref]]), place }
  throw new AlmanacError('ALM_USAGE', {
    why: `${path} is a file: add it with --managed, or the directory that it lies in`,
  })
}

const sourceOf = ({ how, include, exclude, settleMs }: Addition, path: string): DatasetSource => ({
  path,
  keep: how === 'keep',
  ...(include !== undefined && { include }),
  ...(exclude !== undefined && { exclude }),
  ...(settleMs !== undefined && { settleMs }),
})

/** What lies with the user now, as a version, where a dataset is scanned there; undefined where it is not. */
export async function scanDataset(
  ports: AddPorts,
  key: { readonly environment: string; readonly dataset: string },
): Promise<Added | undefined> {
  const source = await ports.datasets.source(key)
  if (source === undefined) return undefined
  const { keep, ...more } = source
  return await addToDataset(ports, { ...key, ...more, how: keep ? 'keep' : 'external' })
}
