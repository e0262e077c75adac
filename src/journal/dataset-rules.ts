import type { DatasetVersion } from '../model/dataset.ts'
import { foldedName } from '../model/dataset.ts'
import { AlmanacError } from '../model/errors.ts'
import type { NewVersion } from '../ports/datasets.ts'
import { type VersionState, versionThere } from './version-rules.ts'

/** What every journal decides alike about versions of datasets and their names. */

/** The version that is there already and stands for the new one, or undefined where it is to be added. @throws ALM_DATASET_MOVED */
export const datasetVersionThere = (
  added: NewVersion,
  state: VersionState<DatasetVersion>,
): DatasetVersion | undefined =>
  versionThere(state, {
    seen: added.parent,
    isSame: ({ digest, at }) => digest === added.digest && at === added.at,
    moved: (moved) => {
      const dataset = added.partition === '' ? added.dataset : `${added.dataset}@${added.partition}`
      return new AlmanacError('ALM_DATASET_MOVED', { dataset, ...moved })
    },
  })

/** Names that cannot be there beside a name, and above or below which it would lie. @throws ALM_DATASET_NAME */
export function checkClash(name: string, others: Iterable<string>): void {
  const folded = foldedName(name)
  for (const other of others) {
    if (other === name) continue
    const its = foldedName(other)
    const why =
      its === folded
        ? `there is ${other}, which some file systems take for the same`
        : its.startsWith(`${folded}/`) || folded.startsWith(`${its}/`)
          ? `there is ${other}, and one would lie within the other`
          : undefined
    if (why !== undefined) throw new AlmanacError('ALM_DATASET_NAME', { name: JSON.stringify(name), why })
  }
}

/** Names that may clash with one: itself in any case, what lies above, what lies below (as a range). */
export function clashRange(name: string): {
  readonly above: readonly string[]
  readonly from: string
  readonly to: string
} {
  const folded = foldedName(name)
  const parts = folded.split('/')
  // "0" is the letter after "/"
  return { above: parts.map((_, i) => parts.slice(0, i + 1).join('/')), from: `${folded}/`, to: `${folded}0` }
}
