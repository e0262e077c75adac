import { AlmanacError } from '../../model/errors.ts'
import type { RunRecord } from '../../model/records.ts'
import { isRunEnd } from '../../model/states.ts'
import type { Workbench } from '../../workbench.ts'
import { allCalls, knownRun, namedCalls } from '../calls.ts'
import { follow } from '../follow.ts'
import { type CommonFlags, type ExecuteFlags, withAlmanac, withReadAlmanac } from '../session.ts'
import { loadWorkflowOf } from '../workflow-of-run.ts'

/** `almanac cancel RUN`, `almanac pause RUN`: asks the process that runs it; of a run that rests, cancel is said at once. */
export function requestCommand(kind: 'cancel' | 'pause', run: string, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    if (isRunEnd(record.state))
      throw new AlmanacError('ALM_USAGE', { why: `run ${record.id} has ended: ${record.state}` })
    const at = Date.now()
    const claim = await almanac.journal.claim(record.id, { host: '', pid: process.pid, bootId: '' })
    if (claim === undefined)
      await almanac.journal.request(record.id, { kind, by: process.env['USER'] ?? 'someone', at })
    else {
      const state = kind === 'cancel' ? 'cancelled' : 'paused'
      await almanac.journal.append(record.id, [{ kind: 'run', state, at }])
      await claim.release()
    }
    printer.object({ kind: 'requested', request: kind, run: record.id, owned: claim === undefined })
    printer.line(
      claim === undefined
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
    const calls = task === undefined ? undefined : await retried(almanac, record, task, flags.after === true)
    const { workflow } = await loadWorkflowOf(almanac, record, flags.file)
    return follow(printer, flags, almanac, (options) =>
      almanac.resume(record.id, workflow, { ...options, ...(calls !== undefined && { calls }) }),
    )
  })
}

async function retried(almanac: Workbench, run: RunRecord, task: string, after: boolean): Promise<number[]> {
  const named = await namedCalls(almanac, run.id, task, 100_000)
  const calls = new Set(named.map((call) => call.call))
  for await (const call of allCalls(almanac, run.id)) {
    const state = call.outcome?.state
    if (state === 'skipped' || state === 'cancelled' || (after && call.call > Math.min(...calls)))
      calls.add(call.call)
  }
  return [...calls]
}
