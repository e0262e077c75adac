import type { RunChange, RunRecord } from '../model/records.ts'
import { isRunEnd } from '../model/states.ts'

/**
 * The run after a change. A run that leaves an end (a person resumes it) loses what told of that end, so that
 * a later success does not stand beside an old error.
 */
export function changedRun(run: RunRecord, change: RunChange): RunRecord {
  const { endedAt, outputWire, error, ...rest } = run
  const leaves = isRunEnd(run.state) && !isRunEnd(change.state)
  return {
    ...rest,
    ...(leaves
      ? { uncaught: [] }
      : { ...(outputWire !== undefined && { outputWire }), ...(error && { error }) }),
    state: change.state,
    ...(run.startedAt === undefined && change.state === 'running' && { startedAt: change.at }),
    ...(isRunEnd(change.state) && { endedAt: change.at }),
    ...(change.outputWire !== undefined && { outputWire: change.outputWire }),
    ...(change.error !== undefined && { error: change.error }),
    ...(change.uncaught !== undefined && { uncaught: change.uncaught }),
    ...(change.codeDigest !== undefined && { codeDigest: change.codeDigest }),
    ...(change.inputWire !== undefined && { inputWire: change.inputWire }),
  }
}
