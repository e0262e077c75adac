import type { LocalDataPlane } from '../data/local-data-plane.ts'
import { collectStore } from '../data/shared/store-garbage.ts'
import { checkDatasets } from '../engine/dataset-care.ts'
import { type Retention, type RetentionPorts, retire } from '../engine/retention.ts'
import type { RunCache } from '../ports/journal.ts'
import type { Objects } from '../ports/objects.ts'
import type { Workbench } from '../workbench.ts'
import type { OpenJournal } from './open-journal.ts'

/** What care is taken with. */
export interface CareParts extends RetentionPorts {
  readonly data: LocalDataPlane
  readonly cache: RunCache
  readonly check: OpenJournal['check']
  /** of the store that machines share */
  readonly objects: Objects | undefined
}

/** Longer than any attempt that has not told of its outputs yet should take. */
const graceMs = 24 * 3600_000

/** Care of what is kept. */
export function careFor(parts: CareParts, rules: Retention): Workbench['maintenance'] {
  const { data, datasets, cache, objects, environment, now } = parts
  return {
    async collectGarbage({ dryRun }) {
      const retired = await retire(parts, rules, dryRun)
      const figures = await data.collectGarbage({ roots: cache.roots(), dryRun, graceMs, now: now() })
      return { ...figures, retired }
    },
    async collectStore({ dryRun, olderDays }) {
      if (objects === undefined) return undefined
      const older = olderDays === undefined ? {} : { olderMs: olderDays * 24 * 3600_000 }
      return collectStore(objects, { dryRun, graceMs, now: now(), ...older })
    },
    async check({ data: all }) {
      const broken = (await parts.check?.()) ?? []
      if (!all) return { journal: broken }
      const store = await data.checkStore()
      const damaged = new Set(store.damaged.map(({ digest }) => digest))
      // what a damaged journal says of versions is not to be gone by
      const found = broken.length > 0 ? [] : await checkDatasets({ datasets, data }, environment, damaged)
      return { journal: broken, store, datasets: found }
    },
  }
}
