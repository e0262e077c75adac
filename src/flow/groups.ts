import { anyOf, isGlob } from '../core/tree/path-globs.ts'
import { AlmanacError } from '../model/errors.ts'
import type { DirRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import type { Caller } from '../ports/caller.ts'
import { toArgs } from './arguments.ts'
import { type Future, view } from './future.ts'

/** The group of a file by its path: what a regular expression captures, or what a function gives. */
type GroupBy = RegExp | ((path: string) => string | null | undefined)

/** The files of a directory that a glob matches. */
export function selected(caller: Caller, over: unknown, include: string | readonly string[]): Future<never> {
  const globs = typeof include === 'string' ? [include] : [...include]
  const wrong = globs.find((glob) => !isGlob(glob))
  if (wrong !== undefined) {
    throw new AlmanacError('ALM_VALUE_REFUSED', {
      path: 'map include',
      why: `${JSON.stringify(wrong)} is no glob`,
    })
  }
  const matches = anyOf(globs)
  const keep = (path: string): boolean => matches(path, path.slice(path.lastIndexOf('/') + 1))
  return view<never>(caller, 'filter', { of: toArgs(over), by: null, include: globs }, keep)
}

/** What a map over groups goes over: a directory with one directory a group, and how many they are. */
export function groupsOf(caller: Caller, over: unknown, by: GroupBy): { readonly [name: string]: Value } {
  const isExpression = by instanceof RegExp
  if (!isExpression && typeof by !== 'function') {
    throw new AlmanacError('ALM_VALUE_REFUSED', {
      path: 'map by',
      why: 'files are grouped by a regular expression or a function of their path',
    })
  }
  const args = { of: toArgs(over), by: isExpression ? { source: by.source, flags: by.flags } : null }
  const grouped = view<{ tree: DirRef; groups: number }>(caller, 'group', args, isExpression ? undefined : by)
  return { over: toArgs(grouped.tree), groups: toArgs(grouped.groups), each: 'dir' }
}
