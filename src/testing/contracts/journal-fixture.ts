import { afterEach, beforeEach, expect } from 'vitest'
import type { Datasets } from '../../ports/datasets.ts'
import type { Documents } from '../../ports/documents.ts'
import type { CacheRecords, Journal, Owner, Records, RunCache, WorkClaims } from '../../ports/journal.ts'
import type { Limits } from '../../ports/limits.ts'

/** A journal as one process has it open. */
export interface OpenJournal {
  readonly journal: Journal
  readonly records: Records
  readonly cache: RunCache
  readonly datasets: Datasets
  readonly documents: Documents
  readonly entries: CacheRecords
  readonly work: WorkClaims
  readonly limits: Limits
}

/** Where journals of several processes meet: a file, or an object. */
export interface JournalPlace {
  /** Another process's journal. To close it is the end of that process. */
  open(): Promise<OpenJournal>
  /** after all were closed */
  remove(): Promise<void>
}

/** Processes that own runs. */
export const owner: Owner = { host: 'here', pid: 7, bootId: 'boot' }
export const anyone: Owner = { host: 'there', pid: 8, bootId: 'boot' }

/** What a test works with. */
export interface Fixture extends OpenJournal {
  /** another process */
  another(): Promise<OpenJournal>
}

/** A fresh place for each test, and what is open there. */
export function useJournal(makePlace: () => Promise<JournalPlace>): () => Fixture {
  let place: JournalPlace | undefined
  let opened: OpenJournal[] = []
  const open = async (): Promise<OpenJournal> => {
    const journal = await (place as JournalPlace).open()
    opened.push(journal)
    return journal
  }
  beforeEach(async () => {
    place = await makePlace()
    await open()
  })
  afterEach(async () => {
    for (const { journal } of opened) await journal.close()
    opened = []
    await place?.remove()
  })
  return () => ({ ...(opened[0] as OpenJournal), another: open })
}

/** An error of the catalogue. */
export const code = (wanted: string) => expect.objectContaining({ code: wanted })
