import pc from 'picocolors'
import { AlmanacError } from '../../model/errors.ts'
import type { TreeChange } from '../../model/tree.ts'
import { anywhere, parseVersion, versionNamed, versionNumber } from '../input/dataset-names.ts'
import { shownName } from '../output/printable.ts'
import { leaveUnread } from '../output/reader-gone.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { sizeText } from '../text/format.ts'

/** `almanac data diff NAME@A NAME@B`, or `NAME@A..B`: what differs, by path. */
export function dataDiffCommand(from: string, to: string | undefined, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    leaveUnread()
    const [first, second] = to === undefined ? rangeOf(from) : [from, to]
    const [before, after] = [await versionNamed(almanac, first), await versionNamed(almanac, second)]
    const counts = { added: 0, changed: 0, removed: 0 }
    for await (const change of almanac.data.diff(anywhere(before), anywhere(after))) {
      const kind = kindOf(change)
      counts[kind]++
      printer.object({ kind: 'change', change: kind, ...change })
      printer.line(`${marks[kind]} ${shownName(change.path)}  ${pc.dim(sizes(change))}`)
    }
    printer.object({ kind: 'diff', from: first, to: second, ...counts })
    const { added, changed, removed } = counts
    printer.line(`${first} to ${second}: ${added} added, ${changed} changed, ${removed} removed`)
    return 0
  })
}

function rangeOf(text: string): readonly [string, string] {
  const [first = '', second] = text.split('..')
  const { dataset, version } = parseVersion(first)
  if (second === undefined || version === undefined)
    throw new AlmanacError('ALM_USAGE', { why: `${text}: two versions are compared, as in raw@3..4` })
  return [first, `${dataset}@${versionNumber(second, text)}`]
}

const kindOf = ({ before, after }: TreeChange): 'added' | 'changed' | 'removed' =>
  before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'

const marks = { added: pc.green('A'), changed: pc.yellow('M'), removed: pc.red('D') }

function sizes({ before, after }: TreeChange): string {
  if (before === undefined || after === undefined) return sizeText((before ?? after)?.size ?? 0)
  return before.size === after.size
    ? sizeText(after.size)
    : `${sizeText(before.size)} to ${sizeText(after.size)}`
}
