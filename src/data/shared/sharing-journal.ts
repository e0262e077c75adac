import { decode } from '../../model/codec.ts'
import type { JournalRecord, RunId } from '../../model/records.ts'
import type { Journal } from '../../ports/journal.ts'
import type { SharedCache } from './shared-cache.ts'
import type { SharedLogs } from './shared-logs.ts'

/**
 * The journal of this machine, of whose records others get what they can use: when it is durable here, and while the
 * run goes on.
 */
export function sharingJournal(own: Journal, cache: SharedCache, logs: SharedLogs | undefined): Journal {
  return {
    create: (run) => own.create(run),
    claim: (run, owner) => own.claim(run, owner),
    load: (run) => own.load(run),
    append: async (run, records) => {
      await own.append(run, records)
      for (const record of records) share(run, record, cache, logs)
    },
    answer: (run, call, answerWire, by, at) => own.answer(run, call, answerWire, by, at),
    request: (run, request) => own.request(run, request),
    take: (run) => own.take(run),
    close: () => own.close(),
  }
}

function share(run: RunId, record: JournalRecord, cache: SharedCache, logs: SharedLogs | undefined): void {
  if (record.kind === 'cache') cache.shareEntry(run, record)
  else if (record.kind === 'base') cache.shareBase(run, record)
  else if (record.kind === 'call') logs?.name(run, record.call, record.name)
  else if (record.kind === 'attempt' && record.phase === 'failed')
    logs?.ended(run, record.call, record.attempt)
  else if (record.kind === 'outcome') {
    logs?.ended(run, record.call, record.attempt)
    if (record.reason === 'executed' && record.valueWire !== undefined)
      cache.shareValue(decode(record.valueWire))
  }
}
