import { errorRecord } from '../../model/errors.ts'
import type { Job } from '../jobs/job.ts'
import type { Failure } from './messages.ts'
import type { ThreadExit } from './thread.ts'

/** What the end of a thread means for the attempts that were in it. */
export interface Death {
  readonly exit: ThreadExit
  /** what was thrown in it that nobody caught */
  readonly threw: Failure | undefined
  readonly heapMb: number
  /** it had said that it is there */
  readonly wasReady: boolean
}

/** `isGuilty`: it is this attempt, and no other, that ended the thread. */
export function tellDeath(job: Job, death: Death, isGuilty: boolean): void {
  const { exit, threw, heapMb } = death
  const { live } = job
  if (live.verdict !== undefined) return live.stopped()
  if (exit.doom !== undefined) return live.lost(exit.doom)
  const { error } = exit
  if (!death.wasReady) {
    const why = `its thread could not start: ${error?.message ?? `it ended with code ${exit.code}`}`
    return live.fail('lost', errorRecord('ALM_WORKER_LOST', { why }), true)
  }
  if (!isGuilty) return live.lost('its thread was ended by another attempt')
  if ((error as { readonly code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const why = `its thread needed more than ${heapMb} MiB for objects, which is what the memory of the run leaves it (--memory, threads)`
    return live.fail('memory', errorRecord('ALM_TASK_MEMORY', { why }), true)
  }
  if (threw !== undefined) return live.fail('error', threw.error, threw.retryable)
  if (error !== undefined)
    return live.fail('error', errorRecord('ALM_TASK_FAILED', { message: error.message }), true)
  const command = `The thread of ${job.function.name}`
  live.fail('error', errorRecord('ALM_TASK_EXIT', { command, exit: exit.code }), true)
}
