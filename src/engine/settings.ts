import type { Hash } from '../model/digest.ts'
import type { LimitRule } from '../model/limits.ts'
import type { ErrorRecord } from '../model/records.ts'
import type { CallState, RunState } from '../model/states.ts'
import type { Value } from '../model/value.ts'
import type { Callbacks } from '../ports/callbacks.ts'
import type { Ambient } from '../ports/caller.ts'
import type { Chance, Clock } from '../ports/clock.ts'
import type { CodeSource } from '../ports/code.ts'
import type { DataPlane } from '../ports/data.ts'
import type { Datasets } from '../ports/datasets.ts'
import type { Documents } from '../ports/documents.ts'
import type { Executor, ExecutorListener } from '../ports/executor.ts'
import type { Journal, Owner, Records, RunCache, WorkClaims } from '../ports/journal.ts'
import type { Limits } from '../ports/limits.ts'
import type { LogStore } from '../ports/logs.ts'
import type { Surroundings } from '../ports/surroundings.ts'
import type { Urls } from '../ports/urls.ts'

/** All that the engine needs from outside. */
export interface EnginePorts {
  readonly journal: Journal
  readonly records: Pick<Records, 'run' | 'runs' | 'claimed' | 'notes'>
  readonly cache: RunCache
  readonly work: WorkClaims
  readonly limits: Limits
  readonly data: DataPlane
  /** files that stay with the servers that keep them; without it none can be read */
  readonly urls?: Pick<Urls, 'open' | 'verify'>
  readonly datasets: Datasets
  readonly documents: Documents
  /** without it no run can be called back */
  readonly callbacks?: Callbacks
  readonly code: Pick<CodeSource, 'fingerprint' | 'known' | 'isStill' | 'load'>
  readonly surroundings: Surroundings
  readonly logs: LogStore
  readonly clock: Clock
  readonly chance: Chance
  readonly hash: Hash
  readonly ambient: Ambient
  readonly owner: Owner
  /** the name of a file in records of runs, from which a later process finds it; the same if absent */
  readonly runFile?: (file: string) => string
  /** where that is; itself if absent */
  readonly runPath?: (file: string) => string
  /** declared variables of the process's environment */
  readonly variable: (name: string) => string | undefined
  /** Opens the executors; they report to the listener. */
  readonly executors: (listener: ExecutorListener) => readonly Executor[]
}

/** How one run is executed. */
export interface RunSettings {
  /** processors that may be taken at once */
  readonly cpu: number
  readonly memoryBytes: number
  /** that all runs of the project share; a workflow may declare others */
  readonly limits: readonly LimitRule[]
  readonly environment: string
  /** `off`: neither read nor written; `refresh`: written only */
  readonly cache: 'on' | 'off' | 'refresh'
  /** a failure of the function stops what runs */
  readonly failFast: boolean
  /** says what would be executed, and executes nothing */
  readonly dryRun: boolean
  /** workflows, stages and branches in one another, and runs that trigger one another */
  readonly depth: number
  /** entries of a map that are made ahead of those that have ended */
  readonly mapWindow: number
  /** time that a stopped attempt gets to clean up */
  readonly graceMs: number
  /** bytes of arrays that are written out when a run ends before it is done; more are made again when it goes on */
  readonly keptBytes: number
  /** results in workers' memory that are not let go of at once when no known call needs them any more */
  readonly sparedCalls: number
  /** rest without anything to wait for after which the function is taken to wait for something foreign */
  readonly stuckMs: number
}

/** How a run ended, or where it rests. */
export interface RunResult {
  readonly id: string
  readonly state: RunState
  readonly output?: Value
  readonly error?: ErrorRecord
  readonly counts: Readonly<Partial<Record<CallState, number>>>
  readonly executed: number
  readonly reused: number
  /** of those executed, how many `resume` executes again: the code was edited meanwhile, or could not be read */
  readonly unkept?: number
  /** ms of work that the run cache and carried entries of maps stand for */
  readonly savedMs: number
  readonly durationMs: number
  /** where the output is shown as plain files */
  readonly shown?: string
  /** calls that a dry run would execute, by task */
  readonly planned?: readonly PlannedCall[]
  /** of a dry run: what cannot be known, as it depends on results of calls that would be executed */
  readonly unknown?: UnknownWork
}

/** What a dry run cannot tell. */
export interface UnknownWork {
  /** calls that were made, and whether they would be executed depends on the results of others */
  readonly calls: readonly {
    readonly call: number
    readonly name: string
    readonly until: readonly string[]
  }[]
  /** tasks whose results the workflow waits for: what it does then is not known */
  readonly until: readonly string[]
}

/** A call that a dry run would execute. */
export interface PlannedCall {
  readonly call: number
  readonly name: string
  readonly why: string
}
