import type { RunHandle } from './engine/engine.ts'
import type { RunMessage } from './engine/messages/run-messages.ts'
import type { Workflow } from './flow/workflow.ts'
import type { SentMessage } from './model/records.ts'

/** Where an Almanac keeps its records and data, and what it may use. All have defaults. */
export interface OpenOptions {
  /** directory of the project: `data/` is below it; the working directory's project if absent */
  readonly project?: string
  /** directory of journal, store and caches; `<project>/.almanac` if absent */
  readonly home?: string
  /** processors that a run may take at once */
  readonly parallel?: number
  /** bytes that a run's tasks may take at once, and the arrays of all runs: more of these goes to disk */
  readonly memoryBytes?: number
  /** where outputs are shown under `data/`, and what maps start from */
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
  /** processors that it may take at once */
  readonly parallel?: number
  /** `off`: the run cache is neither read nor written; `refresh`: only written */
  readonly cache?: 'on' | 'off' | 'refresh'
  /** a failure of the workflow stops what runs */
  readonly failFast?: boolean
  /** says what would be executed, and executes nothing */
  readonly dryRun?: boolean
}

/** How an earlier run goes on. */
export interface ResumeOptions extends RunOptions {
  /** failures that were caught are forgotten too */
  readonly caught?: boolean
  /** only these calls are forgotten */
  readonly calls?: readonly number[]
}

/** How a message is sent. */
export interface SendOptions {
  /** a message that was sent with the same id before is not sent again */
  readonly id?: string
  /** who sends it */
  readonly by?: string
}

/** Which messages of a run. */
export interface RunMessageQuery {
  readonly direction?: 'in' | 'out'
  readonly name?: string
  readonly after?: number
  /** 1000 if absent */
  readonly limit?: number
}

/** An open Almanac: runs workflows in this process. */
export interface Almanac {
  readonly project: string
  readonly home: string
  readonly environment: string
  /** Runs a workflow and gives what it gives. @throws the error that the run failed with */
  run<I, R>(
    workflow: Workflow<I, R>,
    ...input: undefined extends I ? [input?: I, options?: RunOptions] : [input: I, options?: RunOptions]
  ): Promise<R>
  /** Starts a workflow: progress and requests by the handle. @throws ALM_SCHEMA where the input does not fit */
  start<I, R>(workflow: Workflow<I, R>, input: I, options?: RunOptions): Promise<RunHandle>
  /** Goes on with a run. Its inputs from outside are scanned again. @throws ALM_RUN_UNKNOWN, ALM_RUN_OWNED */
  resume<I, R>(run: string, workflow: Workflow<I, R>, options?: ResumeOptions): Promise<RunHandle>
  /**
   * Sends a message to a run (`run.receive`): it is kept on return, whether a process has the run or not.
   * @throws ALM_RUN_UNKNOWN, ALM_RUN_OVER
   */
  send(run: string, name: string, value: unknown, options?: SendOptions): Promise<SentMessage>
  /** Messages to a run and from it, oldest first. `after`: the `seq` of the last one seen. */
  messages(run: string, query?: RunMessageQuery): Promise<readonly RunMessage[]>
  /**
   * Waits for the runs that were triggered here, cancels what else is under way, and lets everything go. `leave`: those that
   * were triggered stay as they are, for whoever resumes them.
   */
  close(options?: { readonly leave?: boolean }): Promise<void>
}
