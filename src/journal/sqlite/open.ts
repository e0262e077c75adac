import { join, resolve } from 'node:path'
import type { RunId } from '../../model/records.ts'
import type { Datasets } from '../../ports/datasets.ts'
import type { Documents } from '../../ports/documents.ts'
import type { CacheRecords, Journal, Records, RunCache, RunClaim, WorkClaims } from '../../ports/journal.ts'
import type { JournalPorts } from '../../ports/journal-ports.ts'
import type { Limits } from '../../ports/limits.ts'
import { WriterClient } from './client.ts'
import { LimitSignal } from './limit-signal.ts'
import { loadedCalls } from './loaded-calls.ts'
import type { RootsPlace } from './tables/roots.ts'

/** A journal in a file. */
export interface OpenSqliteJournal extends JournalPorts {
  /** What is wrong with the database file: all of it is read. */
  check(): Promise<readonly string[]>
  /** As `journal.close`. */
  close(): Promise<void>
}

export interface SqliteJournalOptions {
  /** as if the disk were full when the database has so many pages of 4 KiB: for tests */
  readonly maxPages?: number
  /** only to be read, where nothing can be written: neither made, nor claimed, nor appended to */
  readonly readOnly?: boolean
}

/**
 * Opens `<home>/journal.db`, or makes it. Several processes may have it open.
 * @throws ALM_JOURNAL_NEWER, ALM_JOURNAL_DAMAGED, ALM_JOURNAL_NETWORK, ALM_JOURNAL_READ_ONLY, ALM_JOURNAL_FULL, ALM_JOURNAL_FAILED
 */
export async function openSqliteJournal(
  home: string,
  options: SqliteJournalOptions = {},
): Promise<OpenSqliteJournal> {
  const folder = resolve(home)
  const client = new WriterClient(join(folder, 'journal.db'))
  try {
    await client.call('open', folder, options)
  } catch (error) {
    await client.end()
    throw error
  }
  const journal = sqliteJournal(client)
  return {
    journal,
    records: sqliteRecords(client),
    datasets: sqliteDatasets(client),
    documents: sqliteDocuments(client),
    cache: sqliteCache(client),
    entries: sqliteEntries(client),
    work: sqliteWork(client),
    limits: sqliteLimits(client, new LimitSignal(folder)),
    check: () => client.call('check'),
    close: () => journal.close(),
  }
}

function sqliteJournal(client: WriterClient): Journal {
  let closed: Promise<void> | undefined
  return {
    create: (run) => client.call('create', run),
    async claim(run, owner) {
      return (await client.call('claim', run, owner)) ? claimOf(client, run) : undefined
    },
    load: (run) => loadedCalls(client, run),
    append: (run, records, isPatient) => client.append(run, records, isPatient),
    hurry: () => client.hurry(),
    answer: (run, call, answerWire, by, at) => client.call('answer', run, { call, answerWire, by, at }),
    request: (run, request) => client.call('request', run, request),
    take: (run) => client.call('take', run),
    send: (run, message) => client.call('send', run, message),
    incoming: (run, wanted) => client.call('incoming', run, wanted),
    close() {
      closed ??= client.close()
      return closed
    },
  }
}

function claimOf(client: WriterClient, run: RunId): RunClaim {
  let released: Promise<void> | undefined
  return {
    release() {
      // closing the journal gave it back already
      released ??= client.isClosed ? Promise.resolve() : client.call('release', run)
      return released
    },
  }
}

const sqliteRecords = (client: WriterClient): Records => ({
  runs: (query) => client.call('runs', query),
  run: (run) => client.call('run', run),
  claimed: (runs) => (runs.length === 0 ? Promise.resolve([]) : client.call('claimed', runs)),
  calls: (run, query) => client.call('calls', run, query),
  tasks: (run) => client.call('tasks', run),
  attempts: (run, call) => client.call('attempts', run, call),
  notes: (run, query) => client.call('notes', run, query),
  asks: (run, query) => client.call('asks', run, query),
  callback: (token) => client.call('callback', token),
  messages: (run, query) => client.call('messages', run, query),
  parts: (run, call) => client.call('parts', run, call),
  async compact({ endedBefore, budgetMs = Number.POSITIVE_INFINITY }) {
    const until = performance.now() + budgetMs
    let after = 0
    let all = true
    for (;;) {
      const frozen: Awaited<ReturnType<typeof client.call<'freeze'>>> = await client.call(
        'freeze',
        endedBefore,
        after,
      )
      if (frozen === undefined) break
      after = frozen.after
      all = performance.now() < until
      if (!all) break
    }
    if (all && budgetMs === Number.POSITIVE_INFINITY) await client.call('vacuum')
    return all
  },
  async remove(run) {
    await client.call('remove', run)
    while (await client.call('sweep')) {
      // stretch by stretch, so that batches get their turn
    }
  },
})

const sqliteCache = (client: WriterClient): RunCache => ({
  find: (fingerprint, notBefore) => client.call('find', fingerprint, notBefore),
  findBase: (base, environment) => client.call('findBase', base, environment),
  nearest: (name) => client.call('nearest', name),
  async *roots() {
    let place: RootsPlace | undefined = { source: 0, after: 0 }
    while (place !== undefined) {
      const { digests, next }: { digests: readonly string[]; next: RootsPlace | undefined } =
        await client.call('roots', place)
      yield* digests
      place = next
    }
  },
  forget: (fingerprints) => client.call('forget', fingerprints),
})

/** Entries removed at once. */
const entriesAtOnce = 5000

const sqliteEntries = (client: WriterClient): CacheRecords => ({
  list: (query) => client.call('entries', query),
  savings: () => client.call('savings'),
  variations: (query) => client.call('variations', query),
  async clear({ dryRun, ...choice }) {
    const { seqs, bytes } = await client.call('chooseEntries', choice)
    if (dryRun === true) return { entries: seqs.length, bytes }
    for (let i = 0; i < seqs.length; i += entriesAtOnce)
      await client.call('dropEntries', seqs.slice(i, i + entriesAtOnce))
    await client.call('clearBases', choice)
    return { entries: seqs.length, bytes }
  },
})

const sqliteWork = (client: WriterClient): WorkClaims => ({
  take: (wanted) => client.call('takeWork', wanted),
  release: (fingerprints) => client.call('releaseWork', fingerprints),
  others: () => client.call('othersWork'),
})

const sqliteLimits = (client: WriterClient, signal: LimitSignal): Limits => ({
  async ask(asks) {
    const { answers, wakes } = await client.call('askLimits', asks)
    if (wakes) signal.send()
    return answers
  },
  async leave(run) {
    // closing the journal gave it back already
    if (!client.isClosed && (await client.call('leaveLimits', run))) signal.send()
  },
  list: () => client.call('limits'),
  watch: (changed) => signal.watch(changed),
})

const sqliteDatasets = (client: WriterClient): Datasets => ({
  add: (version) => client.call('addVersion', version),
  version: (key, version) => client.call('version', key, version),
  versions: (key, query) => client.call('versions', key, query),
  list: (environment, query) => client.call('datasets', environment, query),
  setSource: (key, source, at) => client.call('setSource', key, source, at),
  checkName: (key) => client.call('checkName', key),
  source: (key) => client.call('source', key),
  remove: (key, versions, at) => client.call('removeVersions', key, versions, at),
})

const sqliteDocuments = (client: WriterClient): Documents => ({
  write: (write) => client.call('writeDocument', write),
  version: (key, version) => client.call('document', key, version),
  versions: (key, query) => client.call('documentVersions', key, query),
  list: (environment, query) => client.call('documents', environment, query),
})
