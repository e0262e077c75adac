import type { RunHandle } from './engine/engine.ts'
import type { RunListener } from './engine/run-driver.ts'
import type { RunResult } from './engine/settings.ts'
import type { Workflow, WorkflowDefinition } from './flow/workflow.ts'
import type { RunId } from './model/records.ts'
import type { CodeSource, LoadedFile } from './ports/code.ts'
import type { DataPlane } from './ports/data.ts'
import type { Journal, Records, RunCache } from './ports/journal.ts'
import type { LogStore } from './ports/logs.ts'

/** Where an Almanac keeps its records and data, and what it may use. All have defaults. */
export interface OpenOptions {
  /** directory of the project: `data/` is below it; the working directory's project if absent */
  readonly project?: string
  /** directory of journal, store and caches; `<project>/.almanac` if absent */
  readonly home?: string
  /** processors that a run may take at once */
  readonly parallel?: number
  /** bytes that a run's tasks may take at once */
  readonly memoryBytes?: number
  readonly environment?: string
  readonly python?: { readonly processes?: number; readonly debug?: 'pdb' | 'debugpy' }
  /** `memory`: nothing outlives the process */
  readonly journal?: 'sqlite' | 'memory'
  /** what is said while a Python environment is made, or a log cannot be written */
  readonly onMessage?: (text: string) => void
}

/** How one run is executed. */
export interface RunOptions {
  readonly name?: string
  readonly tags?: readonly string[]
  readonly parallel?: number
  readonly cache?: 'on' | 'off' | 'refresh'
  readonly failFast?: boolean
  readonly dryRun?: boolean
  readonly listener?: RunListener
  /** path of the workflow's file, as `resume` is to find it */
  readonly file?: string
  readonly codeDigest?: string
}

/** How an earlier run goes on. */
export interface ResumeOptions extends RunOptions {
  /** failures that were caught are forgotten too */
  readonly caught?: boolean
  /** only these calls are forgotten */
  readonly calls?: readonly number[]
}

/** An open Almanac: runs workflows in this process, and reads what was kept of all. */
export interface Almanac {
  readonly project: string
  readonly home: string
  readonly environment: string
  /** Runs a workflow and gives what it gives. @throws the error that the run failed with */
  run<I, R>(
    workflow: Workflow<I, R>,
    ...input: undefined extends I ? [input?: I, options?: RunOptions] : [input: I, options?: RunOptions]
  ): Promise<R>
  /** Starts a workflow: progress and requests by the handle. */
  start(workflow: WorkflowDefinition, input: unknown, options?: RunOptions): Promise<RunHandle>
  /** Goes on with a run. Its inputs from outside are scanned again. @throws ALM_RUN_UNKNOWN, ALM_RUN_OWNED */
  resume(run: RunId, workflow: WorkflowDefinition, options?: ResumeOptions): Promise<RunHandle>
  /** Loads a workflow file. @throws ALM_LOAD_FAILED, ALM_NO_WORKFLOW */
  load(file: string): Promise<LoadedWorkflow>
  readonly journal: Journal
  readonly records: Records
  readonly cache: RunCache
  readonly data: DataPlane
  readonly code: CodeSource
  readonly logs: LogStore
  readonly maintenance: Maintenance
  close(): Promise<void>
}

/** Care of what is kept. */
export interface Maintenance {
  /** Frees what nothing needs: first it is set aside, a later round deletes it. */
  collectGarbage(options: { readonly dryRun: boolean }): Promise<GarbageFigures>
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

export interface CheckFigures {
  /** what is wrong with the journal; empty if nothing is */
  readonly journal: readonly string[]
  /** absent if the data were not read */
  readonly store?: {
    readonly blobs: number
    readonly bytes: number
    readonly damaged: readonly { readonly digest: string; readonly why: string }[]
  }
}

export interface LoadedWorkflow {
  readonly workflow: WorkflowDefinition
  readonly loaded: LoadedFile
  /** JSON Schema of its input; absent where it takes none */
  readonly inputSchema?: Readonly<Record<string, unknown>>
}

export type { RunHandle, RunResult }
