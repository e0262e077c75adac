import { AlmanacError } from './errors.ts'
import type { RunId, Time } from './records.ts'
import { type Digest, DirRef } from './refs.ts'

/** What tells one series of versions from all others. */
export interface DatasetKey {
  readonly environment: string
  /** names with `/` between them: `forecast/index` */
  readonly dataset: string
  /** a slice of it; `''` where it has none */
  readonly partition: string
}

/** A version of a dataset: a tree, and what made it. It never changes, but may be removed. */
export interface DatasetVersion extends DatasetKey {
  /** 1, 2, … within its key; a number is never given twice */
  readonly version: number
  /** the version that it was made upon, 0 for none */
  readonly parent: number
  /** place among the versions of all datasets */
  readonly seq: number
  readonly digest: Digest
  /** files in it, at any depth, and their bytes */
  readonly entries: number
  readonly size: number
  /** where its files lie with the user, if they were left there */
  readonly at?: string
  /** of one that was left there: its content is in the store as well */
  readonly kept: boolean
  /** the run and call that made it, or else what did: `data add`, `source.http` */
  readonly run?: RunId
  readonly call?: number
  readonly maker: string
  readonly madeAt: Time
}

/** A directory that lies with the user and is scanned for new versions. */
export interface DatasetSource {
  /** absolute */
  readonly path: string
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** files that changed less than so many ms ago are left out */
  readonly settleMs?: number
  /** the content of its versions is kept in the store */
  readonly keep: boolean
}

/** The directory of a version, as tasks take it. */
export const dirOfVersion = ({ digest, entries, size, at }: DatasetVersion): DirRef =>
  new DirRef(digest, entries, size, at)

/** Names of files that no system keeps, and those by which links of ours are told. */
const fault = (name: string): string | undefined => {
  if (name === '') return 'a part of it is empty'
  if (name.startsWith('.')) return 'a part of it begins with "."'
  if (!/^[\p{L}\p{N}._ -]+$/u.test(name))
    return 'it has other characters than letters, digits, "-", "_", "." and spaces'
  if (name !== name.trim()) return 'a part of it begins or ends with a space'
  if (name !== name.normalize('NFC')) return 'it is not in Unicode normal form C'
  return name.length > 80 ? 'a part of it is longer than 80 characters' : undefined
}

/**
 * Is it the name of a dataset? It becomes a path, so it is held to what is a plain name on every system.
 * @throws ALM_DATASET_NAME
 */
export function checkDatasetName(name: string): void {
  const parts = name.split('/')
  const why =
    name.length > 400 ? 'it is longer than 400 characters' : parts.map(fault).find((one) => one !== undefined)
  if (why !== undefined)
    throw new AlmanacError('ALM_DATASET_NAME', { name: JSON.stringify(name.slice(0, 100)), why })
}

/** Names that some file system takes for the same. */
export const foldedName = (name: string): string => name.toLowerCase()
