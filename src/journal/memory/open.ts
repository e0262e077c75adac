import { AlmanacError } from '../../model/errors.ts'
import type { Journal, Records } from '../../ports/journal.ts'
import type { JournalPorts } from '../../ports/journal-ports.ts'
import { appendRecords } from './append.ts'
import { answerAsk, findCallback, listAsks, takeAnswers } from './asks.ts'
import { listAttempts } from './attempts.ts'
import { memoryCache } from './cache.ts'
import { memoryEntries } from './cache-lists.ts'
import { listCalls, loadCalls } from './calls.ts'
import { claimRun, releaseAll } from './claims.ts'
import { memoryDatasets } from './datasets.ts'
import { memoryDocuments } from './documents.ts'
import { memoryLimits, releaseLimits } from './limits.ts'
import { addMessage, incomingMessages, listMessages } from './messages.ts'
import { listNotes } from './notes.ts'
import { addRequest, takeRequests } from './requests.ts'
import { createRun, listRuns, readRun, removeRun } from './runs.ts'
import type { MemoryStore } from './store.ts'
import { knownRun, memoryStore } from './store.ts'
import { listTasks } from './tasks.ts'
import { memoryWork, releaseWork } from './work.ts'

/** A journal that lasts as long as its store: for tests, and for runs that nobody needs to resume. */
export function openMemoryJournal(store: MemoryStore = memoryStore()): JournalPorts {
  const journal = new MemoryJournal(store)
  const work = memoryWork(store, journal)
  const limits = memoryLimits(store.limits, journal)
  journal.onClose = () => releaseLimits(store.limits, journal, limits.watchers)
  return {
    journal,
    records: memoryRecords(store),
    cache: memoryCache(store),
    datasets: memoryDatasets(store),
    documents: memoryDocuments(store),
    entries: memoryEntries(store),
    work,
    limits,
  }
}

/**
 * One process's journal over a store. What it appends is as durable as the store at once.
 *
 * M1 after an append of a run was refused, later ones of that run fail alike until it is claimed anew.
 * M2 once closed, it claims nothing and takes nothing, like a process that ended.
 */
class MemoryJournal implements Journal {
  readonly #store: MemoryStore
  #closed = false
  /** what ends with the process beside what it claimed */
  onClose: () => void = () => undefined

  constructor(store: MemoryStore) {
    this.#store = store
  }

  async create(run: Parameters<Journal['create']>[0]): Promise<void> {
    createRun(this.#open(), run)
  }

  async claim(...[run, owner]: Parameters<Journal['claim']>): ReturnType<Journal['claim']> {
    return claimRun(this.#open(), this, run, owner)
  }

  async load(run: string): ReturnType<Journal['load']> {
    return loadCalls(knownRun(this.#open(), run))
  }

  async append(...[run, records]: Parameters<Journal['append']>): Promise<void> {
    const memory = knownRun(this.#open(), run)
    if (memory.broken !== undefined) throw memory.broken
    try {
      appendRecords(this.#store, memory, records)
    } catch (error) {
      memory.broken = error as Error
      throw error
    }
  }

  async answer(...[run, call, answerWire, by, at]: Parameters<Journal['answer']>): Promise<void> {
    answerAsk(knownRun(this.#open(), run), { call, answerWire, by, at })
  }

  async request(...[run, request]: Parameters<Journal['request']>): Promise<void> {
    addRequest(knownRun(this.#open(), run), request)
  }

  async take(run: string): ReturnType<Journal['take']> {
    const memory = knownRun(this.#open(), run)
    return { requests: takeRequests(memory), answers: takeAnswers(memory) }
  }

  async send(...[run, message]: Parameters<Journal['send']>): ReturnType<Journal['send']> {
    return addMessage(this.#open(), knownRun(this.#open(), run), message)
  }

  async incoming(...[run, wanted]: Parameters<Journal['incoming']>): ReturnType<Journal['incoming']> {
    return incomingMessages(knownRun(this.#open(), run), wanted)
  }

  async close(): Promise<void> {
    this.#closed = true
    releaseAll(this.#store, this)
    releaseWork(this.#store, this)
    this.onClose()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  #open(): MemoryStore {
    if (this.#closed) throw new AlmanacError('ALM_BUG', { why: 'the journal was used after it was closed' })
    return this.#store
  }
}

const memoryRecords = (store: MemoryStore): Records => ({
  async runs(query) {
    return listRuns(store, query)
  },
  async run(id) {
    const run = store.runs.get(id)
    return run && readRun(run)
  },
  async claimed(runs) {
    return runs.filter((run) => store.claims.has(run))
  },
  async calls(id, query) {
    const run = store.runs.get(id)
    return run === undefined ? [] : listCalls(run, query)
  },
  async tasks(id) {
    const run = store.runs.get(id)
    return run === undefined ? [] : listTasks(run)
  },
  async attempts(id, call) {
    const run = store.runs.get(id)
    return run === undefined ? [] : listAttempts(run, call)
  },
  async notes(id, query) {
    const run = store.runs.get(id)
    return run === undefined ? [] : listNotes(run, query)
  },
  async asks(id, query) {
    return listAsks(store, id, query)
  },
  async callback(token) {
    return findCallback(store, token)
  },
  async messages(id, query) {
    const run = store.runs.get(id)
    return run === undefined ? [] : listMessages(run, query)
  },
  async parts(id, call) {
    const parts = store.runs.get(id)?.parts.get(call)
    return parts && { ...parts }
  },
  async compact() {
    return true
  },
  async remove(id) {
    removeRun(store, id)
  },
})
