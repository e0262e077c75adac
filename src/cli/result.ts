import pc from 'picocolors'
import { toWire } from '../model/codec.ts'
import type { ErrorRecord } from '../model/records.ts'
import type { RunResult } from '../workbench.ts'
import { failureLines, placeText } from './failure-lines.ts'
import { relativePath } from './paths.ts'
import { exitCodes, type Printer } from './printer.ts'

/** Says how a run ended or where it rests. `told`: the failure of that call has been told of already. */
export function printResult(
  result: RunResult,
  printer: Printer,
  told: (call: number | undefined) => boolean,
): void {
  const { id, state, counts, executed, reused, durationMs, error, shown, planned } = result
  const output = result.output === undefined ? null : toWire(result.output)
  printer.object({
    kind: 'run',
    id,
    state,
    counts,
    executed,
    reused,
    output,
    durationMs,
    error: error ?? null,
    shown: shown ?? null,
    ...(planned !== undefined && { planned }),
  })
  if (planned !== undefined) return printPlan(result, printer)
  const seconds = `${(durationMs / 1000).toFixed(durationMs < 10_000 ? 2 : 0)} s`
  const mark = state === 'succeeded' ? pc.green('✓') : state === 'failed' ? pc.red('✗') : pc.yellow('•')
  printer.line(`${mark} ${pc.bold(id)} ${state} · ${executed} executed · ${reused} reused · ${seconds}`)
  if (error !== undefined && state === 'failed') printFailure(result, error, printer, told(error.call))
  const figures = plainFigures(output)
  if (figures !== '') printer.line(`  ${figures}`)
  if (shown !== undefined) printer.line(`  ${relativePath(shown)}`)
  else if (state === 'succeeded' && output !== null && figures === '')
    printer.line(`  ${JSON.stringify(output)}`)
  if (state !== 'succeeded')
    printer.line(`  almanac ${state === 'waiting' ? `answer ${id}` : `resume ${id}`}`)
}

function printFailure(
  { id, executed, reused }: RunResult,
  error: ErrorRecord,
  printer: Printer,
  told: boolean,
): void {
  if (!told)
    for (const line of failureLines(error, { task: 'failed', debug: printer.debug }).slice(1))
      printer.line(line)
  if (!told && error.file !== undefined)
    printer.line(`  ${pc.cyan(placeText(error))} ${pc.dim(`[${error.code}]`)}`)
  if (error.hint !== undefined) printer.line(pc.dim(`  ${hintText(error.hint, id, error.call)}`))
  const kept = executed + reused
  if (kept > 0)
    printer.line(pc.dim(`  ${kept} ${kept === 1 ? 'result is' : 'results are'} kept, and not made again.`))
}

/** Hints are kept with the error, which does not know its run: the words for it are filled in here. */
const hintText = (hint: string, run: string, call: number | undefined): string =>
  hint.replace('RUN TASK', call === undefined ? `${run} TASK` : `${run} ${call}`).replace(/\bRUN\b/, run)

/** Numbers and short texts of an output: what a summary is made of. */
function plainFigures(output: unknown): string {
  if (output === null || typeof output !== 'object' || Array.isArray(output) || '$' in output) return ''
  return Object.entries(output)
    .filter(
      ([, value]) =>
        typeof value === 'number' ||
        typeof value === 'boolean' ||
        (typeof value === 'string' && value.length < 60),
    )
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(' · ')
}

function printPlan({ planned = [], reused }: RunResult, printer: Printer): void {
  const byName = new Map<string, { count: number; readonly why: Set<string> }>()
  for (const { name, why } of planned) {
    const entry = byName.get(name) ?? { count: 0, why: new Set() }
    byName.set(name, entry)
    entry.count++
    entry.why.add(why)
  }
  printer.line(`${pc.bold('Would execute')} ${planned.length === 0 ? 'nothing' : ''}`)
  for (const [name, { count, why }] of byName)
    printer.line(`  ${name} × ${count} ${pc.dim([...why].join(', '))}`)
  if (planned.length > 0) printer.line(pc.dim('  and then what depends on their results'))
  printer.line(`${pc.bold('Would reuse')} ${reused}`)
}

/** What the command ends with. */
export function exitCodeOf({ state, planned }: RunResult, dryRun: boolean): number {
  if (dryRun && planned !== undefined) return exitCodes.done
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
