import type { Clock } from '../../ports/clock.ts'
import type { Attempt, Executor, ExecutorListener } from '../../ports/executor.ts'
import type { HostedWork } from './executor-host.ts'

/** What to run: the part of an attempt that differs between kinds of tasks. */
export type Program = Pick<Attempt, 'task' | 'inputs' | 'fn'>

export interface RigOptions {
  readonly clock: Clock
  readonly killAfterMs: number
  readonly limits?: { readonly logBytes?: number; readonly notes?: number }
}

/** An executor as the contract suite needs it. */
export interface ExecutorRig {
  readonly name: string
  open(options: RigOptions, listener: ExecutorListener): Executor | Promise<Executor>
  /** How a process of its own opens it: see `executor-host.ts`. */
  readonly hosted: Pick<HostedWork, 'module' | 'open' | 'options' | 'fn'>
  /** A task that connects to the test and does as it is told: see `puppet-control.ts`. */
  puppet(control: string, token: string): Program
  /** A task that succeeds at once with this number as its one unnamed value. */
  instant(value: number): Program
  /** attempts in a batch: 1000, fewer where another kind passes the same machinery */
  readonly batch?: number
  readonly traits: {
    /** where attempts run: in this process, in processes that may outlive them, or each in processes of its own */
    readonly processes: 'none' | 'shared' | 'own'
    /** how an attempt ends whose process was killed from outside */
    readonly killed?: 'failed' | 'lost'
    /** a request to stop reaches the task, which may go on until the grace is over */
    readonly grace: boolean
  }
}
