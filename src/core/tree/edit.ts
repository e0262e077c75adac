import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { Made, NameChange, TreeMaker } from './chunk.ts'
import { editListing, makeListing } from './chunk.ts'
import type { Entry } from './listing.ts'
import { compareNames, namesOf } from './name.ts'
import type { Reading } from './reading.ts'
import { entryNamed } from './walk.ts'

/** What a path is to hold: a file, a whole directory, or nothing. */
export type PathChange = Omit<Entry, 'name'> | undefined

/**
 * A tree with some paths changed. Reads and writes only the directories, and of large ones the parts, on their ways.
 *
 * E1 what is put at a path takes the place of whatever was there; the directories above it are made.
 * E2 a directory that becomes empty by a removal goes too, unless it is the root; one that was put there empty stays.
 *    So a tree that grew by edits is the tree assembled from what it holds.
 * E3 a removal of what is not there changes nothing.
 * @throws ALM_PATH_REFUSED where a path is no path, or is put below one that is put as well or stays a file
 */
export function* editTree(
  maker: TreeMaker,
  root: Digest | undefined,
  changes: Iterable<readonly [string, PathChange]>,
): Reading<Made> {
  const plan = planOf(changes)
  return (yield* editDirectory(maker, root, plan, '')) ?? makeListing(maker, [])
}

/** What to do below one directory, by name. */
interface Plan {
  /** put here, or remove here what was here; absent: only something below changes */
  own?: { readonly change: PathChange }
  below?: Map<string, Plan>
}

function planOf(changes: Iterable<readonly [string, PathChange]>): Plan {
  const root: Plan = {}
  for (const [path, change] of changes) {
    let plan = root
    for (const name of namesOf(path)) {
      plan.below ??= new Map()
      let next = plan.below.get(name)
      if (next === undefined) {
        next = {}
        plan.below.set(name, next)
      }
      plan = next
    }
    if (plan.own?.change !== undefined && change !== undefined) throw refused(path, 'it is given twice')
    if (change !== undefined || plan.own === undefined) plan.own = { change }
  }
  return root
}

/** Undefined where nothing is left. */
function* editDirectory(
  maker: TreeMaker,
  base: Digest | undefined,
  plan: Plan,
  path: string,
): Reading<Made | undefined> {
  const names = [...(plan.below ?? [])].sort(([a], [b]) => compareNames(a, b))
  const listing = base === undefined ? undefined : yield base
  const changes: NameChange[] = []
  let removes = false
  for (const [name, below] of names) {
    const now = listing === undefined ? undefined : yield* entryNamed(listing, name)
    const entry = yield* editName(maker, name, now, below, path)
    if (entry === undefined && now === undefined) continue
    removes ||= entry === undefined
    changes.push({ name, entry })
  }
  const made =
    base === undefined
      ? makeListing(
          maker,
          changes.flatMap(({ entry }) => entry ?? []),
        )
      : yield* editListing(maker, base, changes)
  return made.entries === 0 && (removes || base === undefined) ? undefined : made
}

function* editName(
  maker: TreeMaker,
  name: string,
  now: Entry | undefined,
  plan: Plan,
  parent: string,
): Reading<Entry | undefined> {
  const path = parent === '' ? name : `${parent}/${name}`
  const put = plan.own?.change
  if (plan.below === undefined) return put === undefined ? undefined : { ...put, name }
  const stays = plan.own === undefined ? now : undefined
  const adds = put === undefined && stays?.kind !== 'file' ? false : putsSomething(plan)
  if (adds) throw refused(path, 'it is a file, or is given as a whole, and something is put below it')
  if (put !== undefined) return { ...put, name }
  if (stays?.kind === 'file') return stays
  const made = yield* editDirectory(maker, stays?.digest, plan, path)
  if (made === undefined) return undefined
  return { name, kind: 'dir', executable: false, digest: made.digest, size: made.size, files: made.files }
}

const putsSomething = (plan: Plan): boolean =>
  [...(plan.below?.values() ?? [])].some((below) => below.own?.change !== undefined || putsSomething(below))

const refused = (path: string, why: string) => new AlmanacError('ALM_PATH_REFUSED', { path, why })
