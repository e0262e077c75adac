import type { Almanac, OpenOptions, ResumeOptions, RunOptions } from './almanac.ts'
import type { Added, Addition } from './engine/datasets/add-dataset.ts'
import type { DatasetFinding } from './engine/datasets/dataset-care.ts'
import type { RunHandle } from './engine/engine.ts'
import type { Explanation } from './engine/identity/explain.ts'
import type { Retired } from './engine/retention.ts'
import type { RunListener } from './engine/run-life.ts'
import type { TriggeredRuns } from './engine/triggers/triggered-runs.ts'
import type { Workflow } from './flow/workflow.ts'
import type { RunId, RunRecord } from './model/records.ts'
import type { UrlRef } from './model/refs.ts'
import type { SourcePlace } from './model/task.ts'
import type { CodeSource, LoadedFile } from './ports/code.ts'
import type { DataPlane } from './ports/data.ts'
import type { Datasets, Publish } from './ports/datasets.ts'
import type { Documents } from './ports/documents.ts'
import type { CacheRecords, CallRow, Journal, Records, RunCache } from './ports/journal.ts'
import type { LimitState } from './ports/limits.ts'
import type { LogStore } from './ports/logs.ts'
import type { UrlRequest } from './ports/urls.ts'

/** How commands open it. */
export interface WorkbenchOptions extends OpenOptions {
  /** a person looks at tasks under a debugger: functions run in this process, and nothing is hurried */
  readonly inline?: boolean
  /** nothing is to be made where there is nothing yet */
  readonly reads?: boolean
  /** room is made where there is none, so that more can be freed */
  readonly frees?: boolean
  /** `512MiB`, `8GiB`: as a person writes it; goes before what the project says */
  readonly memory?: string
  /** the file of a workflow: its project counts where none is named, and one in Python begins to load at once */
  readonly near?: string
}

/** An open Almanac with all that it is made of: what commands work with. */
export interface Workbench extends Almanac {
  start<I, R>(workflow: Workflow<I, R>, input: I, options?: StartOptions): Promise<RunHandle>
  resume<I, R>(
    run: string,
    workflow: Workflow<I, R>,
    options?: ResumeOptions & StartOptions,
  ): Promise<RunHandle>
  /** Loads a workflow file. @throws ALM_LOAD_FAILED, ALM_NO_WORKFLOW */
  load(file: string, choice?: { readonly named?: string; readonly rather?: string }): Promise<LoadedWorkflow>
  /** A call as its task would find it, to be looked at. @throws ALM_CALL_UNSTAGED */
  stage<I, R>(run: RunRecord, call: CallRow, workflow: Workflow<I, R>): Promise<StagedShell>
  /** runs that were triggered in this process */
  readonly triggered: Pick<TriggeredRuns, 'open' | 'isIdle' | 'found' | 'idle' | 'leave'>
  readonly journal: Journal
  readonly records: Records
  readonly cache: RunCache
  readonly entries: CacheRecords
  /** results in a store that machines share; absent where there is none */
  readonly sharedEntries?: SharedEntries
  /** Limits that runs share: who has how much of them, and who waits. */
  limits(): Promise<readonly LimitState[]>
  /** Why a call was executed, reused, or waits. */
  explain(run: RunRecord, call: CallRow): Promise<Explanation>
  /** Takes callbacks of all runs of the journal. @throws ALM_LISTEN_FAILED, ALM_CONFIG */
  listen(options: ListenOptions): Promise<Listening>
  readonly data: DataPlane
  readonly datasets: Datasets
  /** Documents of runs, workflows and projects. */
  readonly documents: Documents
  /** Makes a directory the next version of a dataset. */
  readonly publish: Publish
  /** Adds what lies at a path to a dataset. */
  addData(addition: Omit<Addition, 'environment'>): Promise<Added>
  /** Forgets versions, or the dataset with all of them; says how many there were. */
  removeVersions(dataset: string, versions: readonly number[] | undefined): Promise<number>
  /** Looks at what a dataset is scanned from; undefined where it is not. */
  scanDataset(dataset: string): Promise<Added | undefined>
  /** Asks the server what is there now. @throws ALM_SOURCE_MISSING, ALM_SOURCE_DENIED, ALM_SOURCE_REFUSED, ALM_SOURCE_FAILED */
  readonly lookUrl: (request: UrlRequest) => Promise<UrlRef>
  readonly code: CodeSource
  readonly logs: LogStore
  readonly maintenance: Maintenance
}

/** How callbacks are listened for. */
export interface ListenOptions {
  /** address and port; goes before what the project says */
  readonly listen?: string
  /** why a value does not fit a JSON Schema; undefined where it does */
  readonly misfit: (schema: object, value: unknown) => string | undefined
  readonly accepted: (run: RunId, call: number) => void
}

/** What listens for callbacks. */
export interface Listening {
  readonly address: string
  /** how the world calls it */
  readonly url: string
  close(): Promise<void>
}

/** Results that can be reused, in a store that machines share. */
export interface SharedEntries {
  /** of the store */
  readonly url: string
  /** they can be removed; else they are only read here */
  readonly isWritable: boolean
  /** Fingerprints that begin so: at most ten. */
  find(prefix: string): Promise<readonly string[]>
  /** How many results these are; they are gone then for all machines, unless `dryRun`. `notSince`: not stored since. */
  clear(choice: {
    readonly name?: string
    readonly prefix?: string
    readonly notSince?: number
    readonly dryRun: boolean
  }): Promise<{ readonly entries: number }>
}

/** What a command knows of a run that it starts. */
export interface StartOptions extends RunOptions {
  readonly listener?: RunListener
  /** path of the workflow's file, as `resume` is to find it */
  readonly file?: string
  readonly codeDigest?: string
}

/** Where and how a call is looked at. Its directories are there until `remove`. */
export interface StagedShell {
  readonly task: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** what the task would have run: the words of a command, or the place of a function */
  readonly argv?: readonly string[]
  readonly function?: string
  /** what a command is run by where the task is in a container, and with which environment */
  readonly enter?: { readonly words: readonly string[]; readonly env: Readonly<Record<string, string>> }
  remove(): Promise<void>
}

/** Care of what is kept. */
export interface Maintenance {
  /** Forgets a run that has ended, with its logs. @throws ALM_RUN_UNKNOWN, ALM_RUN_ACTIVE */
  forgetRun(run: RunId): Promise<void>
  /** Frees what nothing needs: first it is set aside, a later round deletes it. */
  collectGarbage(options: {
    readonly dryRun: boolean
  }): Promise<GarbageFigures & { readonly retired: Retired }>
  /**
   * The same of the store that machines share; undefined where there is none. `olderDays`: results that are older go.
   * `goneDays`: so do runs of machines that have stored nothing for so long.
   */
  collectStore(options: {
    readonly dryRun: boolean
    readonly olderDays?: number
    readonly goneDays?: number
  }): Promise<StoreFigures | undefined>
  /** Reads everything: the journal's file and, with `data`, all content in the store. Damaged content is set aside. */
  check(options: { readonly data: boolean }): Promise<CheckFigures>
}

export interface GarbageFigures {
  readonly kept: number
  readonly keptBytes: number
  readonly unreachable: number
  readonly unreachableBytes: number
  readonly movedAside: number
  readonly deleted: number
  readonly freedBytes: number
}

export interface StoreFigures extends Omit<GarbageFigures, 'movedAside'> {
  /** results that can no longer be reused */
  readonly forgotten: number
  /** results and logs of runs that are no more */
  readonly orphans: number
}

export interface CheckFigures {
  /** what is wrong with the journal; empty if nothing is */
  readonly journal: readonly string[]
  /** absent if the data were not read */
  readonly store?: {
    readonly blobs: number
    readonly bytes: number
    readonly damaged: readonly { readonly digest: string; readonly why: string }[]
  }
  /** of versions and what is shown of them; absent if the data were not read */
  readonly datasets?: readonly DatasetFinding[]
}

export interface LoadedWorkflow {
  readonly workflow: Workflow<unknown, unknown>
  readonly name: string
  /** where its definition stands */
  readonly definedAt?: SourcePlace
  readonly loaded: LoadedFile
  /** JSON Schema of its input; absent where it takes none */
  readonly inputSchema?: Readonly<Record<string, unknown>>
}

export type { RunHandle } from './engine/engine.ts'
export type { RunResult } from './engine/settings.ts'
export type { UrlRequest } from './ports/urls.ts'
