import { AlmanacError } from '../model/errors.ts'
import { checkNames } from './option-names.ts'

/** What options of programs are checked by, whatever runs them. */

export const isText = (value: unknown): boolean => typeof value === 'string'
export const isWords = (value: unknown, least = 1): boolean =>
  Array.isArray(value) && value.length >= least && value.every(isText)

/** Types catch it in an editor; this catches it in plain JavaScript. @throws ALM_OPTION_REFUSED */
export function checkNeeded(
  kind: string,
  options: { readonly name: unknown },
  known: object,
  needs: Readonly<Record<string, string | undefined>>,
): void {
  const task = typeof options.name === 'string' ? options.name : kind
  // a name that is spelt wrong is not missing
  checkNames(task, options, known)
  for (const [option, need] of Object.entries(needs))
    if (need !== undefined)
      throw new AlmanacError('ALM_OPTION_REFUSED', { option, task, why: `it must be ${need}` })
}
