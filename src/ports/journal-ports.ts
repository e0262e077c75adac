import type { Datasets } from './datasets.ts'
import type { Documents } from './documents.ts'
import type { CacheRecords, Journal, Records, RunCache, WorkClaims } from './journal.ts'
import type { Limits } from './limits.ts'

/** A journal as one process has it open: all ports that are kept in it, and what reads them. */
export interface JournalPorts {
  readonly journal: Journal
  readonly records: Records
  readonly cache: RunCache
  readonly datasets: Datasets
  readonly documents: Documents
  readonly entries: CacheRecords
  readonly work: WorkClaims
  readonly limits: Limits
}
