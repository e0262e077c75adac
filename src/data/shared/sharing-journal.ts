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
    async claim(run, owner) {
      const claim = await own.claim(run, owner)
      if (claim === undefined) return undefined
      logs?.taken(run)
      return {
        release() {
          logs?.left(run)
          return claim.release()
        },
      }
    },
    load: async (run) => {
      const calls = await own.load(run)
      logs?.loaded(run, calls)
      return calls
    },
    append: async (run, records, isPatient) => {
      await own.append(run, records, isPatient)
      cache.work()
      const cached = new Set(records.map((record) => (record.kind === 'cache' ? record.call : undefined)))
      for (const record of records) share(run, record, { cache, logs, cached })
    },
    hurry: () => own.hurry?.(),
    answer: (run, call, answerWire, by, at) => own.answer(run, call, answerWire, by, at),
    request: (run, request) => own.request(run, request),
    take: (run) => own.take(run),
    send: (run, message) => own.send(run, message),
    incoming: (run, wanted) => own.incoming(run, wanted),
    close: () => own.close(),
  }
}

interface Sharing {
  readonly cache: SharedCache
  readonly logs: SharedLogs | undefined
  /** calls whose results others can reuse */
  readonly cached: ReadonlySet<number | undefined>
}

function share(run: RunId, record: JournalRecord, { cache, logs, cached }: Sharing): void {
  if (record.kind === 'cache') cache.shareEntry(run, record)
  else if (record.kind === 'base') cache.shareBase(run, record)
  else if (record.kind === 'call') logs?.name(run, record.call, record.name)
  else if (record.kind === 'attempt' && record.phase === 'failed')
    logs?.ended(run, record.call, record.attempt, false)
  else if (record.kind === 'outcome') {
    const { call, attempt, reason, valueWire } = record
    logs?.ended(run, call, attempt, true)
    if (reason === 'executed' && valueWire !== undefined && !cached.has(call))
      cache.shareValue(run, call, decode(valueWire))
  }
}
