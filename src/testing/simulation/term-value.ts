import { isFuture } from '../../flow/future-target.ts'
import type { Term } from './program.ts'

/** What a term stands for, as it is passed to a call. */
export function termValue(term: Term, variables: readonly unknown[]): unknown {
  switch (term.kind) {
    case 'literal':
      return term.value
    case 'variable':
      return variables[term.variable]
    case 'field':
      return (variables[term.variable] as { readonly a: unknown; readonly b: unknown })[term.field]
    case 'list':
      return term.items.map((item) => termValue(item, variables))
  }
}

export const hasFuture = (values: readonly unknown[]): boolean =>
  values.some((item) => isFuture(item) || (Array.isArray(item) && hasFuture(item)))
