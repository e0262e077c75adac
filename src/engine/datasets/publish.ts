import { checkDatasetName, type DatasetVersion, dirOfVersion } from '../../model/dataset.ts'
import { DirRef } from '../../model/refs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { DataPlane } from '../../ports/data.ts'
import type { Datasets, Publication, Publish } from '../../ports/datasets.ts'

interface PublishPorts {
  readonly datasets: Datasets
  readonly data: DataPlane
  readonly clock: Pick<Clock, 'now'>
}

/**
 * Publishes directories.
 *
 * L1 a version is on record only when all of its content is on disk.
 * L2 the plain path shows the newest version once `publish` resolves; where a process dies before that, whoever comes
 *    next repairs it (`repairShown`).
 */
export function publisher(ports: PublishPorts): Publish {
  const { datasets, data, clock } = ports
  return async (publication) => {
    const { environment, dataset, place = 'store', parent, run, call, maker } = publication
    const partition = publication.partition ?? ''
    const key = { environment, dataset, partition }
    checkDatasetName(dataset)
    // what cannot be shown is said before it is published
    if (place === 'store') await data.checkShown(environment, shownName(key))
    const dir = await inPlace(ports, publication)
    await data.sync()
    const version = await datasets.add({
      ...key,
      digest: dir.digest,
      entries: dir.entries,
      size: dir.size,
      kept: place === 'both',
      maker,
      madeAt: clock.now(),
      ...(parent !== undefined && { parent }),
      ...(place !== 'store' && dir.at !== undefined && { at: dir.at }),
      ...(run !== undefined && { run }),
      ...(call !== undefined && { call }),
    })
    await showNewest(ports, key)
    return version
  }
}

/** Its content, in the store where it belongs there: only what the version before has not got is looked at. */
async function inPlace({ datasets, data }: PublishPorts, publication: Publication): Promise<DirRef> {
  const { environment, dataset, dir, place = 'store' } = publication
  if (place === 'outside') return dir
  const newest = await datasets.version({ environment, dataset, partition: publication.partition ?? '' })
  const isThere = newest !== undefined && (newest.at === undefined || newest.kept)
  const kept = await data.keep(dir, isThere ? dirOfVersion(newest) : undefined)
  return place === 'both' ? new DirRef(kept.digest, kept.entries, kept.size, dir.at) : kept
}

type Key = Pick<DatasetVersion, 'environment' | 'dataset' | 'partition'>

const shownName = ({ dataset, partition }: Key): string =>
  partition === '' ? dataset : `${dataset}/${partition}`

/** Shows the newest version, however many processes publish: whoever switches last has looked after the last commit. */
export async function showNewest(
  { datasets, data }: Pick<PublishPorts, 'datasets' | 'data'>,
  key: Key,
): Promise<void> {
  const name = shownName(key)
  let newest = await datasets.version(key)
  for (;;) {
    if (newest === undefined || newest.at !== undefined) await data.hide(key.environment, name)
    else await data.show(key.environment, name, dirOfVersion(newest))
    const now = await datasets.version(key)
    if (now?.seq === newest?.seq) return
    newest = now
  }
}

/** Puts right what a process that died left: versions on record that are not shown. Gives their names. */
export async function repairShown(
  ports: Pick<PublishPorts, 'datasets' | 'data'>,
  environment: string,
): Promise<readonly string[]> {
  const { datasets, data } = ports
  const repaired: string[] = []
  let after: string | undefined
  for (;;) {
    const rows = await datasets.list(environment, { limit: 500, ...(after !== undefined && { after }) })
    for (const { dataset, newest } of rows) {
      after = dataset
      if (newest === undefined || newest.at !== undefined) continue
      if ((await data.shown(environment, shownName(newest))) === newest.digest) continue
      await showNewest(ports, newest)
      repaired.push(dataset)
    }
    if (rows.length < 500) return repaired
  }
}
