import { AlmanacError, errorOf, errorRecord } from '../../model/errors.ts'
import type { NewCall } from '../calls/call-info.ts'

/** What is known of the runs that trigger one another. */
interface Triggers {
  /** runs above the one that a call here would trigger */
  readonly depth: number
}

/** What calls or triggers itself without end is stopped at the line that does. @throws ALM_DEPTH */
export function checkDepth({ caller, request }: NewCall, limit: number, triggers: Triggers): void {
  const isChild = request.kind === 'child'
  const depth = isChild ? 1 + stepsOf(caller) : triggers.depth
  if (depth <= limit) return
  const what = isChild ? request.name : `A run of ${request.name}`
  const details = { what, depth, limit }
  const { at } = request
  if (at === undefined) throw new AlmanacError('ALM_DEPTH', details)
  // a function in another language has no line in a stack of ours
  throw errorOf(errorRecord('ALM_DEPTH', details, { file: at.file, line: at.line }))
}

/** Functions that a path is inside of, besides the workflow's own. */
function stepsOf(path: string): number {
  let steps = 0
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) steps++
  return steps
}
