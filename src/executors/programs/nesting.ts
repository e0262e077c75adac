import { AlmanacError } from '../../model/errors.ts'

/**
 * Engines within one another: a task may run a workflow, which is another engine's, with tasks of its own. Each tells what
 * it starts how deep that is.
 */
const variable = 'ALMANAC_NESTING'

/** Each is several processes: what runs itself without end is to be stopped before it has taken all memory. */
const limit = 10

/** How many engines this one is within. */
const nesting = (): number => Number(process.env[variable]) || 0

/** For what tasks start. */
export const nested = (): { readonly [variable]: string } => ({ [variable]: String(nesting() + 1) })

/** @throws ALM_NESTED */
export function checkNesting(what: string): void {
  const depth = nesting()
  if (depth > limit) throw new AlmanacError('ALM_NESTED', { what, depth, limit })
}
