import type { DatasetKey, DatasetVersion } from '../../model/dataset.ts'
import { AlmanacError } from '../../model/errors.ts'
import { DirRef } from '../../model/refs.ts'
import type { Workbench } from '../../workbench.ts'

/** `NAME[@VERSION]`. */
export interface NamedVersion {
  readonly dataset: string
  readonly version?: number
}

/** @throws ALM_USAGE */
export function parseVersion(text: string): NamedVersion {
  const at = text.lastIndexOf('@')
  if (at < 0) return { dataset: text }
  return { dataset: text.slice(0, at), version: versionNumber(text.slice(at + 1), text) }
}

/** @throws ALM_USAGE */
export function versionNumber(text: string, whole = text): number {
  const version = Number(text)
  if (!/^\d{1,15}$/.test(text) || version < 1)
    throw new AlmanacError('ALM_USAGE', { why: `${whole}: a version is a whole number from 1, as in raw@3` })
  return version
}

export const keyOf = (almanac: Workbench, dataset: string): DatasetKey => ({
  environment: almanac.environment,
  dataset,
  partition: '',
})

/** @throws ALM_DATA_UNKNOWN */
export async function versionNamed(almanac: Workbench, text: string): Promise<DatasetVersion> {
  const { dataset, version } = parseVersion(text)
  const found = await almanac.datasets.version(keyOf(almanac, dataset), version)
  if (found === undefined) throw new AlmanacError('ALM_DATA_UNKNOWN', { name: text })
  return found
}

/** Its directory, wherever its files are to be had; said to be gone by whoever needs them. */
export const anywhere = ({ digest, entries, size, at, kept }: DatasetVersion): DirRef =>
  new DirRef(digest, entries, size, kept ? undefined : at)

/** Who made it, for people. */
export const makerText = ({ run, maker }: DatasetVersion): string =>
  run === undefined ? maker : maker === 'publish' ? `run ${run}` : `${maker}, run ${run}`

/** What programs are told of a version. */
export const versionObject = ({
  dataset,
  version,
  parent,
  digest,
  entries,
  size,
  ...more
}: DatasetVersion) => ({
  dataset,
  version,
  parent,
  digest,
  files: entries,
  size,
  maker: more.maker,
  madeAt: more.madeAt,
  ...(more.run !== undefined && { run: more.run, call: more.call }),
  ...(more.at !== undefined && { at: more.at, kept: more.kept }),
})
