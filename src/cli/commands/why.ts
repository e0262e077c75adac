import pc from 'picocolors'
import type { RunRecord } from '../../model/records.ts'
import { isEnd } from '../../model/states.ts'
import type { Workbench } from '../../workbench.ts'
import { type CallRow, knownRun, namedCall } from '../calls.ts'
import { outcomeObject } from '../objects.ts'
import type { Printer } from '../printer.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { table } from '../table.ts'
import { mapReasonLines, mapReasons } from '../why-map.ts'

type Parts = Readonly<Record<string, string>>

/** `almanac why RUN TASK`: why a call ran, was reused, or waits. */
export function whyCommand(run: string, task: string, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    const { id } = record
    const call = await meantCall(almanac, id, task)
    if (call.call_kind === 'map') return whyMap(almanac, record, call, printer)
    const { outcome } = call
    const recorded = await almanac.records.parts(id, call.call)
    const parts = recorded === undefined ? undefined : (JSON.parse(recorded.partsWire) as Parts)
    const near = await almanac.cache.nearest(call.name)
    const other = near === undefined || (near.call === call.call && near.run === id) ? undefined : near
    const differences =
      parts === undefined || other === undefined ? [] : differing(parts, JSON.parse(other.partsWire) as Parts)
    printer.object({
      kind: 'why',
      run: id,
      call: call.call,
      task: call.name,
      outcome: outcomeObject(outcome),
      verdict: recorded?.verdict ?? null,
      parts: parts ?? null,
      differences,
    })
    printer.line(`${pc.bold(`${call.name} ${call.call}`)} ${sentence(outcome, recorded?.verdict)}`)
    if (outcome !== undefined && isEnd(outcome.state) && outcome.origin !== undefined) {
      printer.line(`  The work was done by run ${outcome.origin.run}, call ${outcome.origin.call}.`)
    }
    if (differences.length > 0 && other !== undefined && outcome?.reason === 'executed') {
      printer.line(`  What differs from the newest kept result (run ${other.run}, call ${other.call}):`)
      for (const line of table(
        differences.map(({ part, here, there }) => [`    ${part}`, short(there), '→', short(here)]),
      ))
        printer.line(line)
    } else if (parts !== undefined) {
      printer.line('  It is known by:')
      for (const line of table(Object.entries(parts).map(([part, digest]) => [`    ${part}`, short(digest)])))
        printer.line(line)
    }
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

interface Difference {
  readonly part: string
  readonly here: string | undefined
  readonly there: string | undefined
}

function differing(here: Parts, there: Parts): Difference[] {
  const names = new Set([...Object.keys(here), ...Object.keys(there)])
  return [...names]
    .filter((part) => here[part] !== there[part])
    .map((part) => ({ part, here: here[part], there: there[part] }))
}

function sentence(
  outcome: { readonly state: string; readonly reason: string } | undefined,
  verdict: string | undefined,
): string {
  if (outcome === undefined)
    return 'has not ended: it runs, or waits for its inputs or a slot (almanac status).'
  switch (outcome.reason) {
    case 'executed':
      if (verdict === 'miss')
        return 'was executed: the run cache had no result of the same code, inputs and surroundings.'
      return verdict === undefined || verdict === 'off'
        ? 'was executed: results of calls that take no file are reused only within their run, unless cache says otherwise.'
        : `was executed: the run cache was ${verdict}.`
    case 'cached':
      return 'was reused from the run cache.'
    case 'replayed':
      return 'was reused from an earlier life of this run, from a call that was known by another key.'
    default:
      return `${outcome.state} (${outcome.reason}).`
  }
}

const short = (text: string | undefined): string =>
  text === undefined ? pc.dim('none') : text.length > 16 ? text.slice(0, 12) : text
