import pc from 'picocolors'
import { decode } from '../../model/codec.ts'
import type { Outcome, RunRecord } from '../../model/records.ts'
import type { Workbench } from '../../workbench.ts'
import { nextCommand } from '../output/command-text.ts'
import { shownName } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { allCalls, type CallRow, knownRun, namedCalls, wholeCall, wholeRun } from '../runs/calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { failureLines } from '../text/failure-lines.ts'
import { countsText, durationText, figuresText, stateText, timeText } from '../text/format.ts'
import { limitWaits, limitWaitText } from '../text/limit-text.ts'
import { askObject, callObject, runObject } from '../text/objects.ts'
import { pendingCommand, pendingText } from '../text/pending-input.ts'
import { printRejected, rejectedMessages, rejectedObject } from '../text/rejected-messages.ts'
import { runNotes } from '../text/run-notes.ts'
import { type RunStatus, runStatus, runStatuses } from '../text/run-status.ts'
import { table } from '../text/table.ts'
import { fullText, inputText, mapInputText } from '../text/values.ts'

/** `almanac show RUN [TASK]` */
export function showCommand(run: string, task: string | undefined, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const record = await wholeRun(almanac, await knownRun(almanac, run))
    const stands = await runStatus(almanac, record)
    if (task === undefined) await showRun(almanac, record, stands, printer)
    else await showTask(almanac, record, task, { printer, stands })
    return 0
  })
}

async function showRun(
  almanac: Workbench,
  run: RunRecord,
  stands: RunStatus,
  printer: Printer,
): Promise<void> {
  const tasks = await almanac.records.tasks(run.id)
  const byName = tasks.map(({ name, inputs: _, ...figures }) => [name, figures] as const)
  const { metrics, artifacts } = await runNotes(almanac, run.id)
  const waits = stands.process === undefined ? [] : await limitWaits(almanac, run.id)
  const limits = waits.length > 0 && { limits: waits.map(({ name }) => name) }
  const rejected = await rejectedMessages(almanac, run.id)
  const asks = await almanac.records.asks(run.id, { open: true })
  const triggered = await almanac.records.runs({ triggeredBy: run.id, limit: mostTriggered + 1 })
  const standingOf = await runStatuses(almanac, triggered)
  printer.object({
    ...runObject(run, stands),
    ...(triggered.length > 0 && { triggered: triggered.map((one) => triggeredObject(one, standingOf(one))) }),
    tasks: Object.fromEntries(byName),
    metrics,
    artifacts,
    asks: asks.map(askObject),
    ...limits,
    ...rejectedObject(rejected),
  })
  printer.line(`${pc.bold(run.id)} ${run.workflow} ${stateText(stands.state)}`)
  printer.line(`  ${timeText(run.startedAt)} · ${figuresText(run, stands)}`)
  for (const wait of waits) printer.line(`  ${limitWaitText(wait)}  ${pc.dim(nextCommand('limits'))}`)
  if (run.file !== undefined) printer.line(`  ${run.file}`)
  if (run.triggeredBy !== undefined)
    printer.line(`  triggered by run ${run.triggeredBy.run}, call ${run.triggeredBy.call}`)
  const input = inputText(decode(run.inputWire), 500, true)
  if (input !== '') printer.line(`  input   ${input}`)
  if (run.outputWire !== undefined) printer.line(`  output  ${fullText(decode(run.outputWire), 500)}`)
  if (run.error !== undefined && run.state === 'failed')
    for (const line of failureLines(run.error, { task: 'failed', debug: printer.debug })) printer.line(line)
  printer.line()
  const underWay = stands.process !== undefined
  const rows = tasks.map(({ name, counts, executed, reused, costMs }) => [
    name,
    countsText(counts, underWay),
    String(executed),
    String(reused),
    durationText(costMs),
  ])
  for (const line of table([['task', 'calls', 'executed', 'reused', 'work'].map(pc.dim), ...rows]))
    printer.line(line)
  const runs = triggered
    .slice(0, mostTriggered)
    .map((one) => ['→', one.id, one.workflow, stateText(standingOf(one).state), shownName(one.name ?? '')])
  if (runs.length > 0) printer.line()
  for (const line of table(runs)) printer.line(line)
  if (triggered.length > mostTriggered) printer.line(pc.dim(`  and more: ${nextCommand('runs')}`))
  const said = [
    ...Object.entries(metrics).map(([name, { value, count }]) => [
      'metric',
      shownName(name),
      `${value}${count > 1 ? pc.dim(` (the last of ${count})`) : ''}`,
    ]),
    ...artifacts.map(({ name, kind, text }) => [kind, shownName(name), text]),
  ]
  if (said.length > 0) printer.line()
  for (const line of table(said)) printer.line(line)
  for (const ask of asks) {
    printer.line(`${pc.magenta('?')} ${pendingText(ask)}  ${pc.dim(pendingCommand(ask))}`)
  }
  printRejected(printer, run.id, rejected)
  if (stands.next !== undefined) printer.line(pc.dim(stands.next))
}

/** Runs that are listed of those that it has triggered, the newest. */
const mostTriggered = 20

const triggeredObject = ({ id, workflow, name }: RunRecord, { state, next }: RunStatus): object => ({
  id,
  workflow,
  name: name ?? null,
  state,
  next: next ?? null,
})

interface Shown {
  readonly printer: Printer
  readonly stands: RunStatus
}

/** Calls of a task that people are shown. */
const mostCalls = 200

async function showTask(almanac: Workbench, run: RunRecord, task: string, shown: Shown): Promise<void> {
  const { printer, stands } = shown
  const calls = await namedCalls(almanac, run.id, task, mostCalls + 1)
  const [only] = calls
  if (calls.length === 1 && only !== undefined) return showCall(almanac, run, only, shown)
  // a program is given all of them, as it would take a page for the whole
  if (printer.json) {
    for await (const call of allCalls(almanac, run.id, task)) printer.object(callObject(call))
    return
  }
  const rows = calls
    .slice(0, mostCalls)
    .map((call) => [String(call.call), stateCell(call, stands), outcomeText(call), argumentsText(call, 100)])
  for (const line of table([['call', 'state', 'took', 'input'].map(pc.dim), ...rows])) printer.line(line)
  if (calls.length > mostCalls) printer.line(pc.dim(`  the first ${mostCalls} calls; all with --json`))
}

async function showCall(almanac: Workbench, run: RunRecord, kept: CallRow, shown: Shown): Promise<void> {
  const call = await wholeCall(almanac, kept)
  const { printer, stands } = shown
  const attempts = await almanac.records.attempts(run.id, call.call)
  const parts = await almanac.records.parts(run.id, call.call)
  printer.object({
    ...callObject(call),
    attempts,
    parts: parts === undefined ? null : (JSON.parse(parts.partsWire) as unknown),
    verdict: parts?.verdict ?? null,
  })
  const { outcome } = call
  printer.line(`${pc.bold(`${call.name} ${call.call}`)} ${stateCell(call, stands)} ${outcomeText(call)}`)
  printer.line(`  in       ${call.caller}`)
  printer.line(`  input    ${argumentsText(call, 2000)}`)
  if (outcome?.valueWire !== undefined)
    printer.line(`  output   ${fullText(decode(outcome.valueWire), 2000)}`)
  if (outcome?.origin !== undefined)
    printer.line(`  from     run ${outcome.origin.run}, call ${outcome.origin.call}`)
  if (outcome?.error !== undefined)
    for (const line of failureLines(outcome.error, { task: call.name, debug: printer.debug }))
      printer.line(line)
  for (const attempt of attempts) {
    printer.line(
      `  attempt ${attempt.attempt} ${attempt.phase} ${timeText(attempt.at)} ${attempt.error?.message ?? ''}`,
    )
  }
  printer.line(pc.dim(`  ${nextCommand(`logs ${run.id} ${call.call}`)}`))
}

/** Of a call that has not ended, only the process that has the run knows whether it runs. */
function stateCell({ outcome }: CallRow, { process, state }: RunStatus): string {
  if (outcome !== undefined) return `${stateText(outcome.state)} ${pc.dim(outcome.reason)}`
  if (process !== undefined) return 'running or waiting'
  return state === 'interrupted' ? stateText('interrupted') : stateText('waiting')
}

const argumentsText = ({ call_kind: kind, argsWire }: CallRow, length: number): string =>
  kind === 'map' ? mapInputText(decode(argsWire), length) : inputText(decode(argsWire), length, true)

type Ended = Pick<Outcome, 'state' | 'attempt' | 'startedAt' | 'endedAt' | 'costMs'>

/** Work that gave nothing is none, but it took its time. */
const tookMs = ({ state, attempt, startedAt, endedAt, costMs }: Ended): number =>
  state === 'failed' && attempt > 0 ? endedAt - startedAt : costMs

function outcomeText({ outcome, call_kind: kind }: CallRow): string {
  if (outcome === undefined) return ''
  if (kind !== 'map' || outcome.map === undefined) return durationText(tookMs(outcome))
  const { executed, carried, removed } = outcome.map
  return `map: ${executed} run, ${carried} carried over, ${removed} removed`
}
