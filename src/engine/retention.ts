import { AlmanacError } from '../model/errors.ts'
import type { RunId, RunRecord } from '../model/records.ts'
import type { Digest } from '../model/refs.ts'
import { isRunEnd } from '../model/states.ts'
import type { Datasets } from '../ports/datasets.ts'
import type { CacheRecords, Records } from '../ports/journal.ts'
import type { LogStore } from '../ports/logs.ts'

/** What is kept for how long, as numbers; what a rule does not say is kept. */
export interface Retention {
  /** runs that have ended: the newest so many, and those that ended within so many ms */
  readonly runs?: { readonly count?: number; readonly ageMs?: number }
  /** what tasks printed in runs that ended longer ago */
  readonly logs?: { readonly ageMs?: number }
  /** of each dataset that no rule of its own is for; the newest stays in any case */
  readonly versions?: VersionRule
  /** of some datasets: the first that fits counts, and none other */
  readonly datasets?: readonly DatasetRule[]
  /** results by when they were last used; those that were not used for the longest go first */
  readonly cache?: { readonly count?: number; readonly ageMs?: number; readonly bytes?: number }
}

interface VersionRule {
  readonly count?: number
  readonly ageMs?: number
}

export interface DatasetRule extends VersionRule {
  /** as it was written */
  readonly name: string
  readonly fits: (dataset: string) => boolean
  /** versions that stay in any case */
  readonly keep?: ReadonlySet<number>
}

/** What is not kept any longer. */
export interface Retired {
  readonly runs: number
  readonly logs: number
  readonly versions: number
  readonly results: number
  readonly resultBytes: number
  /** rules for datasets that fit none */
  readonly unused: readonly string[]
}

export interface RetentionPorts {
  readonly records: Pick<Records, 'runs' | 'remove' | 'claimed'>
  readonly logs: Pick<LogStore, 'remove'>
  readonly entries: CacheRecords
  readonly datasets: Datasets
  /** what somebody reads at the moment, in whichever process */
  readonly pinned: () => Promise<ReadonlySet<Digest>>
  /** the dataset's versions are gone: what is shown of it is put right */
  readonly removeVersions: (dataset: string, versions: readonly number[]) => Promise<unknown>
  readonly environment: string
  readonly now: () => number
}

const page = 500

/**
 * Forgets what is older, or more, than what is to be kept. Content that then nothing needs goes by the collection after
 * it. A run that has not ended is never forgotten, whatever the rules say: somebody may resume it.
 */
export async function retire(ports: RetentionPorts, rules: Retention, dryRun: boolean): Promise<Retired> {
  const { runs, logs } = await retireRuns(ports, rules, dryRun)
  const { versions, unused } = await retireVersions(ports, rules, dryRun)
  const { entries, bytes } = await retireResults(ports, rules.cache, dryRun)
  return { runs, logs, versions, results: entries, resultBytes: bytes, unused }
}

async function retireRuns(
  { records, logs, now }: RetentionPorts,
  rules: Retention,
  dryRun: boolean,
): Promise<Pick<Retired, 'runs' | 'logs'>> {
  const retired = { runs: 0, logs: 0 }
  if (rules.runs === undefined && rules.logs === undefined) return retired
  let ended = 0
  for await (const run of allRuns(records)) {
    if (!isRunEnd(run.state)) continue
    const ageMs = now() - (run.endedAt ?? run.createdAt)
    if (isPast(rules.runs, ended++, ageMs)) {
      retired.runs++
      if (dryRun) continue
      await removeRun(records, logs, run.id)
    } else if (isPast(rules.logs, 0, ageMs)) {
      retired.logs++
      if (!dryRun) await logs.remove(run.id)
    }
  }
  return retired
}

/**
 * Forgets a run that has ended, with all that is only its own. First of all goes what nobody would look for once the run
 * is gone: so one that was stopped in between can be removed again. @throws ALM_RUN_UNKNOWN, ALM_RUN_ACTIVE
 */
export async function forgetRun(
  {
    records,
    logs,
  }: Pick<RetentionPorts, 'logs'> & { readonly records: Pick<Records, 'run' | 'remove' | 'claimed'> },
  run: RunId,
): Promise<void> {
  const record = await records.run(run)
  if (record === undefined) throw new AlmanacError('ALM_RUN_UNKNOWN', { run })
  const [owned] = await records.claimed([run])
  if (!isRunEnd(record.state) || owned !== undefined) throw new AlmanacError('ALM_RUN_ACTIVE', { run })
  await removeRun(records, logs, run)
}

async function removeRun(
  records: Pick<Records, 'remove'>,
  logs: RetentionPorts['logs'],
  run: RunId,
): Promise<void> {
  await logs.remove(run)
  await records.remove(run)
}

/** Newest first; those that a process has are left out. */
async function* allRuns({ runs, claimed }: RetentionPorts['records']): AsyncIterable<RunRecord> {
  for (let before: string | undefined; ; ) {
    const found: readonly RunRecord[] = await runs({ limit: page, ...(before !== undefined && { before }) })
    const taken = new Set(await claimed(found.map(({ id }) => id)))
    yield* found.filter(({ id }) => !taken.has(id))
    before = found.at(-1)?.id
    if (found.length < page) return
  }
}

/** Is it over the number, or over the age? */
const isPast = (
  rule: { readonly count?: number; readonly ageMs?: number } | undefined,
  newer: number,
  ageMs: number,
): boolean => rule !== undefined && (newer >= (rule.count ?? Infinity) || ageMs > (rule.ageMs ?? Infinity))

async function retireVersions(
  { datasets, removeVersions, pinned, environment, now }: RetentionPorts,
  { versions, datasets: own = [] }: Retention,
  dryRun: boolean,
): Promise<Pick<Retired, 'versions' | 'unused'>> {
  if (versions === undefined && own.length === 0) return { versions: 0, unused: [] }
  const unused = new Set(own)
  let retired = 0
  for (let after: string | undefined; ; ) {
    const rows = await datasets.list(environment, { limit: page, ...(after !== undefined && { after }) })
    for (const { dataset, newest } of rows) {
      for (const one of unused) if (one.fits(dataset)) unused.delete(one)
      const rule: (VersionRule & Pick<DatasetRule, 'keep'>) | undefined =
        own.find((one) => one.fits(dataset)) ?? versions
      if (newest === undefined || rule === undefined) continue
      // looked at for each anew: removing takes its time
      const read = await pinned()
      const past: number[] = []
      let newer = 0
      for await (const { version, madeAt, digest } of versionsOf(datasets, newest))
        if (
          isPast(rule, newer++, now() - madeAt) &&
          newer > 1 &&
          rule.keep?.has(version) !== true &&
          !read.has(digest)
        )
          past.push(version)
      retired += past.length
      if (past.length > 0 && !dryRun) await removeVersions(dataset, past)
    }
    after = rows.at(-1)?.dataset
    if (rows.length < page) return { versions: retired, unused: [...unused].map(({ name }) => name) }
  }
}

async function* versionsOf(datasets: Datasets, key: Parameters<Datasets['versions']>[0]) {
  const { environment, dataset, partition } = key
  for (let before: number | undefined; ; ) {
    const found: Awaited<ReturnType<Datasets['versions']>> = await datasets.versions(
      { environment, dataset, partition },
      { limit: page, ...(before !== undefined && { before }) },
    )
    yield* found
    before = found.at(-1)?.version
    if (found.length < page) return
  }
}

async function retireResults(
  { entries, now }: RetentionPorts,
  rule: Retention['cache'],
  dryRun: boolean,
): Promise<{ readonly entries: number; readonly bytes: number }> {
  const none = { entries: 0, bytes: 0 }
  if (rule === undefined) return none
  const { count, ageMs, bytes } = rule
  const old = ageMs === undefined ? none : await entries.clear({ notSince: now() - ageMs, dryRun })
  const excess =
    count === undefined && bytes === undefined
      ? none
      : await entries.clear({
          dryRun,
          ...(count !== undefined && { maxEntries: count }),
          ...(bytes !== undefined && { maxBytes: bytes }),
        })
  // what is both too old and too much is the same: only said beforehand it would count twice
  if (dryRun) return excess.entries > old.entries ? excess : old
  return { entries: old.entries + excess.entries, bytes: old.bytes + excess.bytes }
}
