import type { DatasetKey, DatasetSource, DatasetVersion } from '../model/dataset.ts'
import type { RunId, Time } from '../model/records.ts'
import type { DirRef } from '../model/refs.ts'

/**
 * Datasets and their versions, as the journal keeps them.
 *
 * D1 versions of a key are numbered in the order of their commits; a number is never given twice.
 * D2 a version is added only upon the one that its maker saw, by one transaction: of two at once one is refused.
 * D3 a version is durable when `add` resolves.
 * D4 the same call adds the same tree once, however often it is tried.
 * D5 in one environment no two names differ only in case, and none is a directory above another.
 */
export interface Datasets {
  /**
   * Adds a version, or gives the one that is there: that of an earlier attempt of this call, or the newest where the
   * tree is the same and lies in the same place. @throws ALM_DATASET_MOVED, ALM_DATASET_NAME
   */
  add(version: NewVersion): Promise<DatasetVersion>
  /** The newest version, or the one of a number; undefined where it is not there, or was removed. */
  version(key: DatasetKey, version?: number): Promise<DatasetVersion | undefined>
  /** Newest first; `before`: older than that number. */
  versions(
    key: DatasetKey,
    query: { readonly limit: number; readonly before?: number },
  ): Promise<readonly DatasetVersion[]>
  /** Datasets of an environment by name, with their newest version; `after` is the last name seen. */
  list(
    environment: string,
    query: { readonly limit: number; readonly after?: string },
  ): Promise<readonly DatasetRow[]>
  /** The directory that is scanned for new versions; undefined: none any more. @throws ALM_DATASET_NAME */
  setSource(key: Omit<DatasetKey, 'partition'>, source: DatasetSource | undefined, at: Time): Promise<void>
  /** Could a dataset be called so beside the others? @throws ALM_DATASET_NAME */
  checkName(key: Omit<DatasetKey, 'partition'>): Promise<void>
  source(key: Omit<DatasetKey, 'partition'>): Promise<DatasetSource | undefined>
  /** Removes versions, or with none named the dataset with all of them; says how many were there. */
  remove(key: DatasetKey, versions: readonly number[] | undefined, at: Time): Promise<number>
}

/** What becomes a version. */
export interface NewVersion extends Omit<DatasetVersion, 'version' | 'parent' | 'seq'> {
  /** the version that its maker saw, 0 where there was none; absent: whatever is the newest now */
  readonly parent?: number
}

/** A dataset as it is listed. */
export interface DatasetRow {
  readonly dataset: string
  readonly source?: DatasetSource
  /** absent where a source was set and nothing was added yet */
  readonly newest?: DatasetVersion
}

/** A directory that is to become the next version of a dataset. */
export interface Publication {
  readonly environment: string
  readonly dataset: string
  /** `''` if absent */
  readonly partition?: string
  readonly dir: DirRef
  /** as in `NewVersion` */
  readonly parent?: number
  /** where its content is to be: in the store (if absent), left where it lies with the user, or both */
  readonly place?: 'store' | 'outside' | 'both'
  readonly run?: RunId
  readonly call?: number
  /** what made it, for people: `data add`, `source.http` */
  readonly maker: string
}

/**
 * Makes a directory the next version of a dataset: its content durable first, then the version, then the plain path.
 * @throws ALM_DATASET_MOVED, ALM_DATASET_NAME, ALM_TARGET_EXISTS where the plain path is taken
 */
export type Publish = (publication: Publication) => Promise<DatasetVersion>
