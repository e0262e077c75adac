import pc from 'picocolors'
import type { RunRecord } from '../../model/records.ts'
import { isEnd } from '../../model/states.ts'
import type { Workbench } from '../../workbench.ts'
import type { Printer } from '../output/printer.ts'
import { type CallRow, knownRun, namedCall } from '../runs/calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { partName, partText } from '../text/fingerprint-parts.ts'
import { outcomeObject } from '../text/objects.ts'
import { table } from '../text/table.ts'
import { mapReasonLines, mapReasons } from '../text/why-map.ts'

type Why = Awaited<ReturnType<Workbench['explain']>>

/** `almanac why RUN TASK`: why a call ran, was reused, or waits. */
export function whyCommand(run: string, task: string, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    const { id } = record
    const call = await meantCall(almanac, id, task)
    if (call.call_kind === 'map') return whyMap(almanac, record, call, printer)
    const why = await almanac.explain(record, call)
    printer.object({
      kind: 'why',
      run: id,
      call: call.call,
      task: call.name,
      outcome: outcomeObject(call.outcome),
      ...why,
      verdict: why.verdict ?? null,
      parts: why.parts ?? null,
    })
    printer.line(`${pc.bold(`${call.name} ${call.call}`)} ${sentence(call.outcome, why)}`)
    for (const line of reasonLines(call, why)) printer.line(line)
    return 0
  })
}

/** By name a map is meant before its entries: it says why of all of them. A failed one is asked about by itself. */
async function meantCall(almanac: Workbench, run: string, task: string): Promise<CallRow> {
  const call = await namedCall(almanac, run, task)
  if (call.call_kind !== 'entry' || /^\d+$/.test(task) || call.outcome?.state === 'failed') return call
  const calls = await almanac.records.calls(run, { name: task, limit: 100 })
  return calls.find(({ call_kind }) => call_kind === 'map') ?? call
}

async function whyMap(almanac: Workbench, run: RunRecord, map: CallRow, printer: Printer): Promise<number> {
  const reasons = await mapReasons(almanac, run, map)
  printer.object({
    kind: 'why',
    run: run.id,
    call: map.call,
    task: map.name,
    outcome: outcomeObject(map.outcome),
    map: reasons,
  })
  const state = map.outcome === undefined ? 'has not ended' : map.outcome.state
  printer.line(`${pc.bold(`${map.name} ${map.call}`)} ${state}, a map:`)
  for (const line of mapReasonLines(reasons)) printer.line(line)
  return 0
}

/** What differs from the nearest result where it was executed, and what it is known by where it was not. */
function reasonLines({ outcome }: CallRow, { parts, nearest, differences, variations }: Why): string[] {
  const lines: string[] = []
  if (outcome !== undefined && isEnd(outcome.state) && outcome.origin !== undefined)
    lines.push(`  The work was done by run ${outcome.origin.run}, call ${outcome.origin.call}.`)
  const isReused = outcome?.reason === 'cached' || outcome?.reason === 'replayed'
  if (!isReused && nearest !== undefined && differences.length > 0) {
    const other = nearest.isBefore
      ? 'itself before the edit'
      : `the nearest kept result (run ${nearest.run}, call ${nearest.call})`
    lines.push(`  What differs from ${other}:`, ...differenceLines(differences))
  } else if (parts !== undefined) {
    const rows = Object.entries(parts).map(([part, text]) => [`    ${partName(part)}`, partText(text)])
    lines.push('  It is known by:', ...table(rows))
  }
  for (const { run, call } of variations)
    lines.push(
      `${pc.yellow('!')} Run ${run}, call ${call} gave another result for the same: the task may vary.`,
    )
  return lines
}

function differenceLines(differences: Why['differences']): string[] {
  const rows = differences.map(({ part, here, there }) => [
    `    ${partName(part)}`,
    partText(there),
    '→',
    partText(here),
  ])
  const lines = table(rows)
  return differences.flatMap(({ files = [], changed = 0 }, i) => [
    lines[i] ?? '',
    ...files.map(({ path, change }) => `      ${change} ${path}`),
    ...(changed > files.length ? [`      and ${changed - files.length} more`] : []),
  ])
}

const offText =
  'was executed: results of calls that take no file, that act on the world or that say cache: false are not kept for other runs.'

function sentence(
  outcome: { readonly state: string; readonly reason: string } | undefined,
  { verdict, waitsFor }: Why,
): string {
  if (waitsFor !== undefined)
    return `waits: run ${waitsFor.run}, call ${waitsFor.call} executes the same, and this takes its result.`
  if (outcome === undefined)
    return 'has not ended: it runs, or waits for its inputs or a slot (almanac status).'
  switch (outcome.reason) {
    case 'executed':
      return executedText[verdict ?? 'off'] ?? `was executed: the run cache was ${verdict}.`
    case 'cached':
      return verdict === 'waited'
        ? 'was reused: another call executed the same at that time, and this one waited for it.'
        : 'was reused from the run cache.'
    case 'replayed':
      return 'was reused from an earlier life of this run, from a call that was known by another key.'
    default:
      return `${outcome.state} (${outcome.reason}).`
  }
}

const executedText: Readonly<Record<string, string>> = {
  miss: 'was executed: the run cache had no result of the same code, inputs and surroundings.',
  waited: 'was executed: it had waited for another call that executes the same, which gave no result.',
  waits: 'was executed: it had waited for another call that executes the same, which gave no result.',
  gone: 'was executed: the files of its kept result are gone.',
  old: 'was executed: its kept result is older than the task allows.',
  refresh: 'was executed: the run was started with --refresh.',
  off: offText,
  unused: 'was executed: the run was started with --no-cache.',
  other:
    'was executed again: its code, inputs or surroundings are others than when this run executed it before, and results of such calls are not kept for other runs.',
}
