import { follow } from '../follow/follow.ts'
import { knownRun } from '../runs/calls.ts'
import { retriedCalls } from '../runs/retried-calls.ts'
import { requestStop } from '../runs/stop-request.ts'
import { loadWorkflowOf } from '../runs/workflow-of-run.ts'
import { type CommonFlags, type ExecuteFlags, withAlmanac, withReadAlmanac } from '../session.ts'

/** `almanac cancel RUN`, `almanac pause RUN`: asks the process that runs it; of a run that rests, cancel is said at once. */
export function requestCommand(kind: 'cancel' | 'pause', run: string, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    const by = process.env['USER'] ?? 'someone'
    const owned = await requestStop(almanac, record.id, { kind, by, at: Date.now() })
    printer.object({ kind: 'requested', request: kind, run: record.id, owned })
    printer.line(
      owned
        ? `Asked the process that runs ${record.id} to ${kind}.`
        : `Run ${record.id} is ${kind === 'cancel' ? 'cancelled' : 'paused'}.`,
    )
    return 0
  })
}

export interface RetryFlags extends ExecuteFlags {
  readonly after?: boolean
  readonly file?: string
}

/** `almanac retry RUN [TASK] [--after]`: runs calls again, and with `--after` all that was made after them. */
export function retryCommand(run: string, task: string | undefined, flags: RetryFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    const calls =
      task === undefined ? undefined : await retriedCalls(almanac, record.id, task, flags.after === true)
    const { workflow } = await loadWorkflowOf(almanac, record, flags.file)
    return follow(printer, flags, almanac, (options) =>
      almanac.resume(record.id, workflow, { ...options, ...(calls !== undefined && { calls }) }),
    )
  })
}
