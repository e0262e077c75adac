import pc from 'picocolors'
import type { RunResult } from '../../workbench.ts'
import type { Printer } from '../output/printer.ts'

/** Names of tasks that are listed after "until". */
const listed = 5

/** What a dry run found, for programs: the same figures as for people. */
export function planObject({ planned = [], unknown, reused }: RunResult): object {
  return {
    dryRun: true,
    planned,
    unknown: unknown ?? { calls: [], until: [] },
    would: { execute: planned.length, reuse: reused, unknown: unknown?.calls.length ?? 0 },
  }
}

/** What a dry run found, by task. */
export function printPlan({ planned = [], unknown, reused }: RunResult, printer: Printer): void {
  const known = folded(planned, ({ why }) => [why])
  printer.line(`${pc.bold('Would execute')} ${planned.length}`)
  for (const [name, { count, words }] of known)
    printer.line(`  ${name} × ${count} ${pc.dim([...words].join(', '))}`)
  printer.line(`${pc.bold('Would reuse')} ${reused}`)
  const open = folded(unknown?.calls ?? [], ({ until }) => until)
  const after = unknown?.until ?? []
  if (open.size === 0 && after.length === 0) return
  printer.line(pc.bold('Unknown'))
  for (const [name, { count, words }] of open)
    printer.line(`  ${name} × ${count} ${pc.dim(`until ${names([...words])}`)}`)
  if (after.length > 0) printer.line(`  what the workflow does next ${pc.dim(`until ${names(after)}`)}`)
}

interface Folded {
  count: number
  readonly words: Set<string>
}

function folded<T extends { readonly name: string }>(
  calls: readonly T[],
  wordsOf: (call: T) => readonly string[],
): ReadonlyMap<string, Folded> {
  const byName = new Map<string, Folded>()
  for (const call of calls) {
    const entry = byName.get(call.name) ?? { count: 0, words: new Set() }
    byName.set(call.name, entry)
    entry.count++
    for (const word of wordsOf(call)) entry.words.add(word)
  }
  return byName
}

function names(tasks: readonly string[]): string {
  const shown = tasks.slice(0, listed).join(', ')
  const more = tasks.length - listed
  if (more > 0) return `${shown} and ${more} more have run`
  return `${shown} ${tasks.length === 1 ? 'has' : 'have'} run`
}
