import type { AlmanacError } from '../model/errors.ts'
import type { RunId } from '../model/records.ts'

interface Version {
  readonly version: number
  readonly maker?: string
  readonly run?: RunId
}

/** What there is of a dataset or a document when a version is to be added. */
export interface VersionState<V> {
  readonly newest: V | undefined
  /** what an earlier attempt of the same call added */
  readonly own: V | undefined
  /** are all versions newer than the one that was seen of the same run? */
  readonly isOwnSince: boolean
}

/** Another version came since its maker looked. */
export interface Moved {
  readonly newest: number
  /** who made that */
  readonly maker: string
  readonly seen: number
}

/**
 * What every journal decides alike about a new version: the one that is there already and stands for it, or undefined
 * where it is to be added. `seen`: what its maker saw, 0 where there was none, undefined for whatever is the newest now.
 * @throws what `moved` makes
 */
export function versionThere<V extends Version>(
  { newest, own, isOwnSince }: VersionState<V>,
  rules: {
    readonly seen: number | undefined
    readonly isSame: (newest: V) => boolean
    readonly moved: (moved: Moved) => AlmanacError
  },
): V | undefined {
  if (own !== undefined) return own
  const at = newest?.version ?? 0
  const seen = rules.seen ?? at
  if (seen !== at && !isOwnSince) {
    const maker = newest?.run === undefined ? (newest?.maker ?? 'nobody') : `run ${newest.run}`
    throw rules.moved({ newest: at, maker, seen })
  }
  return newest !== undefined && rules.isSame(newest) ? newest : undefined
}
