import type { Digest } from '../../model/refs.ts'
import type { TreeChange } from '../../model/tree.ts'
import type { Entry, Listing, Node } from './listing.ts'
import { emptyListing, sameEntry } from './listing.ts'
import { checkReach, compareNames } from './name.ts'
import type { Finding } from './reading.ts'
import { Cursor, isEmpty, ownEntry } from './walk.ts'

/**
 * What differs between two trees, in order of path. Equal directories and equal parts of large ones are not read,
 * so the cost follows the difference. Where there is no `before`, everything is added.
 */
export function* diff(before: Digest | undefined, after: Digest): Finding<TreeChange> {
  if (before === after) return
  yield* diffListings('', before === undefined ? emptyListing : yield before, yield after)
}

function* diffListings(prefix: string, before: Listing, after: Listing): Finding<TreeChange> {
  checkReach(prefix)
  const a = new Cursor(before)
  const b = new Cursor(after)
  for (;;) {
    const x = a.current
    const y = b.current
    if (x === undefined && y === undefined) return
    if (isPart(x) && isPart(y) && x.digest === y.digest) {
      a.step()
      b.step()
      continue
    }
    // of two parts the larger is entered first, so that parts of one size meet
    const enterA = isPart(x) && !(isPart(y) && y.level > x.level)
    const enterB = isPart(y) && !(isPart(x) && x.level > y.level)
    if (enterA) a.enter(yield x.digest)
    if (enterB) b.enter(yield y.digest)
    if (!enterA && !enterB) yield* diffNext(prefix, a, b, x as Entry | undefined, y as Entry | undefined)
  }
}

function* diffNext(
  prefix: string,
  a: Cursor,
  b: Cursor,
  x: Entry | undefined,
  y: Entry | undefined,
): Finding<TreeChange> {
  const order = x === undefined ? 1 : y === undefined ? -1 : compareNames(x.name, y.name)
  if (order <= 0) a.step()
  if (order >= 0) b.step()
  yield* diffEntries(prefix, order <= 0 ? x : undefined, order >= 0 ? y : undefined)
}

/** Two entries of one name, or one that is on one side only. */
function* diffEntries(prefix: string, x: Entry | undefined, y: Entry | undefined): Finding<TreeChange> {
  if (x !== undefined && y !== undefined && sameEntry(x, y)) return
  const path = prefix + (x ?? y)?.name
  const belowX = x?.kind === 'dir' ? yield x.digest : undefined
  const belowY = y?.kind === 'dir' ? yield y.digest : undefined
  const before = ownEntry(path, x, belowX)
  const after = ownEntry(path, y, belowY)
  if (before !== undefined || after !== undefined) {
    yield { path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
  }
  if ((belowX !== undefined && !isEmpty(belowX)) || (belowY !== undefined && !isEmpty(belowY))) {
    yield* diffListings(`${path}/`, belowX ?? emptyListing, belowY ?? emptyListing)
  }
}

const isPart = (item: Entry | Node | undefined): item is Node => item !== undefined && 'level' in item
