import pc from 'picocolors'
import { decode } from '../../model/codec.ts'
import type { RunRecord } from '../../model/records.ts'
import type { Workbench } from '../../workbench.ts'
import { allCalls, type CallRow, knownRun, namedCalls } from '../calls.ts'
import { failureLines } from '../failure-lines.ts'
import type { Printer } from '../printer.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { table } from '../table.ts'
import { inputText, valueText } from '../values.ts'
import { countsText, durationText, stateText, timeText } from '../words.ts'

/** `almanac show RUN [TASK]` */
export function showCommand(run: string, task: string | undefined, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    if (task === undefined) await showRun(almanac, record, printer)
    else await showTask(almanac, record, task, printer)
    return 0
  })
}

async function showRun(almanac: Workbench, run: RunRecord, printer: Printer): Promise<void> {
  const tasks = await byTask(almanac, run.id)
  printer.object({ ...run, kind: 'run', tasks: Object.fromEntries(tasks) })
  printer.line(`${pc.bold(run.id)} ${run.workflow} ${stateText(run.state)}`)
  printer.line(
    `  ${timeText(run.startedAt)} · ${countsText(run.counts)} · ${run.executed} executed · ${run.reused} reused`,
  )
  if (run.file !== undefined) printer.line(`  ${run.file}`)
  const input = inputText(decode(run.inputWire), 500)
  if (input !== '') printer.line(`  input   ${input}`)
  if (run.outputWire !== undefined) printer.line(`  output  ${valueText(decode(run.outputWire), 500)}`)
  if (run.error !== undefined && run.state === 'failed')
    for (const line of failureLines(run.error, { task: 'failed', debug: printer.debug })) printer.line(line)
  printer.line()
  const rows = [...tasks].map(([name, { counts, costMs }]) => [
    name,
    countsText(counts),
    durationText(costMs),
  ])
  for (const line of table([['task', 'calls', 'work'].map(pc.dim), ...rows])) printer.line(line)
  for (const ask of await almanac.records.asks(run.id, { open: true })) {
    printer.line(`${pc.magenta('?')} ${ask.title}  ${pc.dim(`almanac answer ${run.id} ${ask.call} …`)}`)
  }
}

interface TaskFigures {
  readonly counts: Record<string, number>
  costMs: number
}

async function byTask(almanac: Workbench, run: string): Promise<Map<string, TaskFigures>> {
  const tasks = new Map<string, TaskFigures>()
  for await (const call of allCalls(almanac, run)) {
    const figures = tasks.get(call.name) ?? { counts: {}, costMs: 0 }
    tasks.set(call.name, figures)
    const state = call.outcome?.state ?? 'waiting'
    figures.counts[state] = (figures.counts[state] ?? 0) + 1
    if (call.outcome?.reason === 'executed') figures.costMs += call.outcome.costMs
  }
  return tasks
}

async function showTask(almanac: Workbench, run: RunRecord, task: string, printer: Printer): Promise<void> {
  const calls = await namedCalls(almanac, run.id, task, 200)
  const [only] = calls
  if (calls.length === 1 && only !== undefined) return showCall(almanac, run, only, printer)
  for (const call of calls) printer.object({ ...call, kind: 'call' })
  const rows = calls.map((call) => [
    String(call.call),
    stateCell(call),
    outcomeText(call),
    inputText(decode(call.argsWire), 80),
  ])
  for (const line of table([['call', 'state', 'took', 'input'].map(pc.dim), ...rows])) printer.line(line)
  if (calls.length === 200) printer.line(pc.dim('  the first 200 calls'))
}

async function showCall(almanac: Workbench, run: RunRecord, call: CallRow, printer: Printer): Promise<void> {
  const attempts = await almanac.records.attempts(run.id, call.call)
  const parts = await almanac.records.parts(run.id, call.call)
  printer.object({ ...call, kind: 'call', attempts, parts: parts ?? null })
  const { outcome } = call
  printer.line(`${pc.bold(`${call.name} ${call.call}`)} ${stateCell(call)} ${outcomeText(call)}`)
  printer.line(`  in       ${call.caller}`)
  printer.line(`  input    ${inputText(decode(call.argsWire), 2000)}`)
  if (outcome?.valueWire !== undefined)
    printer.line(`  output   ${valueText(decode(outcome.valueWire), 2000)}`)
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
  printer.line(pc.dim(`  almanac logs ${run.id} ${call.call}`))
}

const stateCell = ({ outcome }: CallRow): string =>
  outcome === undefined ? stateText('waiting') : `${stateText(outcome.state)} ${pc.dim(outcome.reason)}`

const outcomeText = ({ outcome }: CallRow): string =>
  outcome === undefined ? '' : durationText(outcome.costMs)
