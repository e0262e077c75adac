import { AlmanacError } from '../../model/errors.ts'
import { HeldRef } from '../../model/refs.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { Attempt } from '../../ports/executor.ts'
import type { KnownCall } from '../calls/known-call.ts'
import type { EnginePorts } from '../settings.ts'
import { CallAttempt, stageArgs } from './staging.ts'

/** A call as an attempt would find it, for a person to look at. Owns its directories until `remove`. */
export interface StagedCall {
  readonly attempt: Attempt
  remove(): Promise<void>
}

/** @throws ALM_CALL_UNSTAGED, ALM_INPUT_CHANGED, ALM_INPUT_MISSING */
export async function stageCall(
  run: string,
  call: number,
  known: KnownCall | undefined,
  {
    data,
    urls,
    variable,
    attempt,
  }: Pick<EnginePorts, 'data' | 'urls' | 'variable'> & { readonly attempt: number },
): Promise<StagedCall> {
  const refused = (why: string): AlmanacError => new AlmanacError('ALM_CALL_UNSTAGED', { run, call, why })
  if (known === undefined) throw refused('the workflow does not make it any more')
  const { info, args, missing } = known
  const { task, kind } = info.request
  if (task === undefined || (kind !== 'task' && kind !== 'entry')) throw refused(`it is no task (${kind})`)
  if (missing !== undefined) throw refused(`its input from ${missing} is not known`)
  eachRef(args, (ref) => {
    if (ref instanceof HeldRef) throw refused('one of its inputs only lived in the memory of a worker')
  })
  const staged = await stageArgs(args, { data, ...(urls !== undefined && { urls }) })
  const workspace = await data.workspace(`${run}-${call}.shell${process.pid}`)
  const of = { run, info, task, attempt, id: `${run}/${call}.${attempt}#shell` }
  return {
    attempt: new CallAttempt(of, { args: staged.args, memoryBytes: 0, workspace }, variable),
    remove: () => workspace.remove(),
  }
}
