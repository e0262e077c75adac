import { Engine } from '../../engine/engine.ts'
import { openMemoryJournal } from '../../journal/memory/open.ts'
import type { MemoryStore } from '../../journal/memory/store.ts'
import type { JournalRecord, RunId } from '../../model/records.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { CodeFingerprint } from '../../ports/code.ts'
import type { DataPlane } from '../../ports/data.ts'
import type { Attempt, AttemptEnd, AttemptId, ExecutorListener } from '../../ports/executor.ts'
import type { Journal, Records } from '../../ports/journal.ts'
import { nodeAmbient } from '../../system/node-ambient.ts'
import { HeldJournal } from '../held-journal.ts'
import { MemoryLogs } from '../memory/memory-logs.ts'
import type { SeededChance } from '../seeded-chance.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { sha256 } from '../world.ts'
import type { Faults } from './faults.ts'
import type { Versions } from './versions.ts'
import { Workers } from './workers.ts'

/** What outlives a process, and who watches it. */
export interface Surroundings {
  readonly store: MemoryStore
  readonly data: DataPlane
  readonly chance: SeededChance
  readonly versions: Versions
  submitted(attempt: Attempt): void
  ended(id: AttemptId, end: AttemptEnd): void
  /** records were given to the journal; they are durable */
  appended(run: RunId, records: readonly JournalRecord[]): void
  durable(run: RunId, records: readonly JournalRecord[]): void
}

const ambient = nodeAmbient()

/**
 * One process: the engine over fakes of its ports, and everything that can happen to it from outside.
 * What is dropped is dead: its clock stands still, and its journal writes nothing.
 */
export class SimulatedProcess {
  readonly clock: VirtualClock
  readonly journal: HeldJournal
  readonly records: Records
  readonly engine: Engine
  /** look-ups that have not been answered */
  readonly lookups: (() => void)[] = []
  workers!: Workers
  /** workers that were lost, by the call that they were at */
  readonly losses = new Map<string, number>()
  /** runs that people have it go on with beside the first one */
  triggeredUnderWay = 0

  constructor(surroundings: Surroundings, faults: Faults, now: number) {
    const { store, data, chance, versions } = surroundings
    const memory = openMemoryJournal(store)
    this.clock = new VirtualClock(now)
    this.records = memory.records
    this.journal = new HeldJournal(
      watched(memory.journal, (run, records) => surroundings.durable(run, records)),
      faults.isSlowDisk,
    )
    const later = <T>(value: T): Promise<T> =>
      faults.isSlowLookup
        ? new Promise((resolve) => this.lookups.push(() => resolve(value)))
        : Promise.resolve(value)
    this.engine = new Engine({
      journal: telling(this.journal, (run, records) => surroundings.appended(run, records)),
      records: memory.records,
      datasets: versions.watch(memory.datasets, later),
      documents: memory.documents,
      cache: { ...memory.cache, find: (...asked) => memory.cache.find(...asked).then(later) },
      work: memory.work,
      limits: memory.limits,
      data,
      code: {
        fingerprint: (task) => later(codeOf(task)),
        // where nothing waits, about half of the tasks are known at once
        known: (task) => (faults.isSlowLookup || sha256(task.name) < '8' ? undefined : codeOf(task)),
        isStill: () => true,
        load: () => Promise.reject(new Error('there are no files')),
      },
      surroundings: { of: () => Promise.resolve({}), known: () => ({}) },
      logs: new MemoryLogs(),
      clock: this.clock,
      chance,
      hash: sha256,
      ambient,
      owner: { host: 'simulated', pid: 1, bootId: '1' },
      variable: () => undefined,
      executors: (listener: ExecutorListener) => {
        this.workers = new Workers(listener, faults, surroundings)
        return [this.workers]
      },
    })
  }

  /** It executes nothing beside the first run, and will not. */
  get isIdle(): boolean {
    return this.triggeredUnderWay === 0 && this.engine.triggered.open.length === 0
  }

  /** The process is gone, with all that it had not made durable. */
  async die(): Promise<void> {
    this.journal.die()
    await this.journal.close()
  }
}

const codeOf = ({ name }: TaskSpec): CodeFingerprint => ({ digest: sha256(name), parts: {}, warnings: [] })

type Watch = (run: RunId, records: readonly JournalRecord[]) => void

/** Says what has become durable. */
function watched(journal: Journal, watch: Watch): Journal {
  return wrap(journal, async (run, records) => {
    await journal.append(run, records)
    watch(run, records)
  })
}

/** Says what is about to be written. */
function telling(journal: Journal, watch: Watch): Journal {
  return wrap(journal, (run, records) => {
    watch(run, records)
    return journal.append(run, records)
  })
}

const wrap = (journal: Journal, append: Journal['append']): Journal => ({
  append,
  create: (run) => journal.create(run),
  claim: (run, owner) => journal.claim(run, owner),
  load: (run) => journal.load(run),
  answer: (...given) => journal.answer(...given),
  request: (...given) => journal.request(...given),
  take: (run) => journal.take(run),
  send: (...given) => journal.send(...given),
  incoming: (...given) => journal.incoming(...given),
  close: () => journal.close(),
})
