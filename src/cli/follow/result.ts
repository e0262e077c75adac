import pc from 'picocolors'
import { toWire } from '../../model/codec.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'
import type { Value } from '../../model/value.ts'
import type { RunHandle, RunResult } from '../../workbench.ts'
import { nextCommand } from '../output/command-text.ts'
import { hintText } from '../output/hint-text.ts'
import { exitCodes, type Printer } from '../output/printer.ts'
import { failureLines, messageText, placeText } from '../text/failure-lines.ts'
import { durationText } from '../text/format.ts'
import { relativePath } from '../text/paths.ts'
import { plainFigures } from '../text/plain-figures.ts'
import { valueText } from '../text/values.ts'
import { planObject, printPlan } from './plan.ts'

const longestOutput = 2000

/** What else is known of a run. */
export interface AlsoKnown {
  /** the command that a run that rests waits for */
  readonly next: string | undefined
  /** tasks that gave another result for the same call */
  readonly varied: readonly string[]
  /** has the failure of that call been told of already? */
  readonly told: (call: number | undefined) => boolean
}

/** Says how a run ended or where it rests. */
export function printResult(result: RunResult, printer: Printer, { varied, told, next }: AlsoKnown): void {
  const { id, state, counts, executed, reused, savedMs, durationMs, error, shown, planned } = result
  const output = result.output === undefined ? null : toWire(result.output)
  const goesOn = state === 'succeeded' ? undefined : (next ?? nextCommand(`resume ${id}`))
  printer.last({
    kind: 'run',
    id,
    state,
    counts,
    executed,
    reused,
    savedMs,
    output,
    durationMs,
    error: error ?? null,
    shown: shown ?? null,
    next: goesOn ?? null,
    ...(varied.length > 0 && { varied }),
    ...(planned !== undefined && planObject(result)),
  })
  if (planned !== undefined) printPlan(result, printer)
  if (planned !== undefined && error === undefined) return
  const seconds = `${(durationMs / 1000).toFixed(durationMs < 10_000 ? 2 : 0)} s`
  const mark = state === 'succeeded' ? pc.green('✓') : state === 'failed' ? pc.red('✗') : pc.yellow('•')
  printer.line(
    `${mark} ${pc.bold(id)} ${state} · ${executed} executed · ${reused} reused · ${seconds}${savedText(savedMs)}`,
  )
  if (error !== undefined && state === 'failed') printFailure(result, error, printer, told(error.call))
  const figures = plainFigures(output)
  if (figures !== '') printer.line(`  ${figures}`)
  if (shown !== undefined) printer.line(`  ${relativePath(shown)}`)
  else if (state === 'succeeded' && output !== null && figures === '')
    printer.line(`  ${outputText(output, result.output)}`)
  for (const name of varied)
    printer.line(
      `  ${pc.yellow('!')} ${name} gave another result for the same call: ${nextCommand(`why ${id} ${name}`)}`,
    )
  if (goesOn !== undefined) printer.line(`  ${goesOn}`)
}

function printFailure(
  { id, executed, reused, unkept = 0 }: RunResult,
  error: ErrorRecord,
  printer: Printer,
  told: boolean,
): void {
  // in full only once; but what it was is said at the end, however long ago it was told
  if (told) printer.line(`  ${messageText(error)}`)
  else
    for (const line of failureLines(error, { task: 'failed', debug: printer.debug }).slice(1))
      printer.line(line)
  const place = error.file === undefined ? '' : `${pc.cyan(placeText(error))} `
  printer.line(`  ${place}${pc.dim(`[${error.code}]`)}`)
  if (error.hint !== undefined) printer.line(pc.dim(`  ${hintText(error.hint, id, error.call)}`))
  const kept = executed + reused - unkept
  if (kept > 0)
    printer.line(pc.dim(`  ${kept} ${kept === 1 ? 'result is' : 'results are'} kept, and not made again.`))
}

/** Of a run that the engine could not go on with: how far it came, and that it can be resumed. */
export function printBroken(handle: RunHandle, error: unknown, sinceMs: number, printer: Printer): void {
  const { counts, executed, reused } = handle.snapshot()
  const { code, message, hint } = isAlmanacError(error)
    ? error
    : { code: 'ALM_BUG', message: String(error), hint: undefined }
  const next = nextCommand(`resume ${handle.id}`)
  printer.last({
    kind: 'run',
    id: handle.id,
    state: 'interrupted',
    counts,
    executed,
    reused,
    output: null,
    durationMs: Date.now() - sinceMs,
    error: { code, message, ...(hint !== undefined && { hint }) },
    shown: null,
    next,
  })
  printer.line(
    `${pc.yellow('•')} ${pc.bold(handle.id)} interrupted · ${executed} executed · ${reused} reused`,
  )
  printer.line(`  ${next}`)
}

/** Work that was not done again, where it is worth a word. */
const savedText = (ms: number): string => (ms < 100 ? '' : ` · saved ${durationText(ms)}`)

/** What people can read: no marks of what JSON has not, and no more than fits on a screen. `--json` has all of it. */
function outputText(wire: unknown, value: Value): string {
  const text = JSON.stringify(wire)
  return text.length > longestOutput || text.includes('{"$":') ? valueText(value, longestOutput) : text
}

/** What the command ends with. */
export function exitCodeOf({ state, planned }: RunResult, dryRun: boolean): number {
  if (dryRun && planned !== undefined && state !== 'failed') return exitCodes.done
  switch (state) {
    case 'succeeded':
      return exitCodes.done
    case 'cancelled':
      return exitCodes.cancelled
    case 'paused':
    case 'waiting':
      return exitCodes.waiting
    default:
      return exitCodes.failed
  }
}
