import { knownJournalName } from '../data/journal-name.ts'
import type { LocalDataPlane } from '../data/local-data-plane.ts'
import type { OwnRuns } from '../data/shared/run-marks.ts'
import { collectStore } from '../data/shared/store-garbage.ts'
import { checkDatasets } from '../engine/datasets/dataset-care.ts'
import { forgetRun, type Retention, type RetentionPorts, retire } from '../engine/retention.ts'
import { isAlmanacError } from '../model/errors.ts'
import type { Records, RunCache } from '../ports/journal.ts'
import type { Objects } from '../ports/objects.ts'
import type { Workbench } from '../workbench.ts'
import type { OpenJournal } from './open-journal.ts'

/** What care is taken with. */
export interface CareParts extends RetentionPorts {
  readonly home: string
  readonly data: LocalDataPlane
  readonly records: RetentionPorts['records'] & Pick<Records, 'run' | 'compact'>
  readonly cache: RunCache
  readonly check: OpenJournal['check']
  readonly rehearse: OpenJournal['rehearse']
  /** of the store that machines share */
  readonly objects: Objects | undefined
  readonly say: (text: string) => void
}

const dayMs = 24 * 3600_000

/** Longer than any attempt that has not told of its outputs yet should take. */
const graceMs = dayMs

/** Care of what is kept. */
export function careFor(parts: CareParts, rules: Retention): Workbench['maintenance'] {
  const { data, datasets, cache, objects, environment, now } = parts
  return {
    forgetRun: (run) => forgetRun(parts, run),
    async collectGarbage({ dryRun }) {
      if (dryRun && parts.rehearse !== undefined && Object.keys(rules).length > 0)
        return await rehearsed(parts, rules, parts.rehearse)
      const retired = await retire(parts, rules, dryRun)
      const figures = await data.collectGarbage({ roots: cache.roots(), dryRun, graceMs, now: now() })
      // what other processes of this machine have is left to a later time
      if (!dryRun) await compact(parts)
      return { ...figures, retired }
    },
    async collectStore({ dryRun, olderDays, goneDays }) {
      if (objects === undefined) return undefined
      const older = {
        ...(olderDays !== undefined && { olderMs: olderDays * dayMs }),
        ...(goneDays !== undefined && { goneMs: goneDays * dayMs }),
      }
      const own = ownRuns(parts)
      return collectStore(objects, { dryRun, graceMs, now: now(), ...older, ...(own && { own }) })
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

/** The last step, and the only one that needs room: where there is none, the others have freed what they say. */
async function compact({ records, now, say }: CareParts): Promise<void> {
  try {
    await records.compact({ endedBefore: now() })
  } catch (error) {
    if (!isAlmanacError(error) || !['ALM_JOURNAL_FULL', 'ALM_JOURNAL_FAILED'].includes(error.code))
      throw error
    say(`The journal was not made smaller: ${error.message}`)
  }
}

/** Undefined where it cannot be known which runs were removed. */
function ownRuns({ home, records, rehearse }: CareParts): OwnRuns | undefined {
  // a journal in memory knows no other process's runs
  const journal = rehearse === undefined ? undefined : knownJournalName(home)
  return journal === undefined
    ? undefined
    : { journal, has: async (run) => (await records.run(run)) !== undefined }
}

/** What a collection would do and free: the rules are applied to a copy of the journal, whose needs then count. */
async function rehearsed(
  parts: CareParts,
  rules: Retention,
  begin: NonNullable<OpenJournal['rehearse']>,
): ReturnType<Workbench['maintenance']['collectGarbage']> {
  const { data, environment, now } = parts
  const copy = await begin()
  try {
    const { records, entries, datasets, cache } = copy
    const ports: RetentionPorts = {
      records: { runs: records.runs, remove: records.remove, claimed: parts.records.claimed },
      logs: { remove: () => Promise.resolve() },
      entries,
      datasets,
      removeVersions: (dataset, versions) =>
        datasets.remove({ environment, dataset, partition: '' }, versions, now()),
      pinned: parts.pinned,
      environment,
      now,
    }
    const retired = await retire(ports, rules, false)
    const roots = cache.roots()
    return { ...(await data.collectGarbage({ roots, dryRun: true, graceMs, now: now() })), retired }
  } finally {
    await copy.close()
  }
}
