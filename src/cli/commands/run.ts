import { relative, resolve } from 'node:path'
import pc from 'picocolors'
import { toWire } from '../../model/codec.ts'
import type { RunHandle, RunResult, StartOptions, Workbench } from '../../workbench.ts'
import { readInput } from '../inputs.ts'
import { exitCodes, failureLines, type Printer, relativePath } from '../printer.ts'
import { Progress } from '../progress.ts'
import { cacheMode, type ExecuteFlags, withAlmanac } from '../session.ts'

export interface RunFlags extends ExecuteFlags {
  readonly input?: readonly string[]
  readonly params?: string
  readonly name?: string
  readonly tag?: readonly string[]
}

/** `almanac run FILE` */
export function runCommand(file: string, flags: RunFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    const { workflow, loaded, inputSchema } = await almanac.load(resolve(file))
    const given = { inputs: flags.input ?? [], ...(flags.params !== undefined && { params: flags.params }) }
    const input = await readInput(inputSchema, given, (path) => almanac.data.scan(path))
    return follow(almanac, printer, flags, (options) =>
      almanac.start(workflow, input, {
        ...options,
        file: relative(almanac.project, loaded.file),
        codeDigest: loaded.digest,
        ...(flags.name !== undefined && { name: flags.name }),
        ...(flags.tag !== undefined && { tags: flags.tag }),
      }),
    )
  })
}

/** Starts a run, shows how it goes, and gives the exit code. */
export async function follow(
  _almanac: Workbench,
  printer: Printer,
  flags: ExecuteFlags,
  start: (options: StartOptions) => Promise<RunHandle>,
): Promise<number> {
  let progress: Progress | undefined
  // a run may say something before its handle is here
  let id = 'last'
  const say = (lines: readonly string[]): void => {
    if (printer.json) return
    if (progress === undefined) for (const line of lines) printer.aside(line)
    else progress.above(lines)
  }
  const handle = await start({
    cache: cacheMode(flags),
    failFast: flags.failFast === true,
    dryRun: flags.dryRun === true,
    listener: {
      failed: (call, error, attempt, final) => {
        printer.object({ kind: 'failure', call: call.id, task: call.request.name, attempt, final, error })
        if (final && call.request.kind !== 'map')
          say(
            failureLines(
              error,
              `${call.request.name}${call.entry === undefined ? '' : ` ${call.entry}`}`,
              printer,
            ),
          )
        if (!final) say([`${pc.yellow('↻')} ${call.request.name}: ${error.message}; it is tried again`])
      },
      noted: (note) => {
        printer.object(note)
        if (note.type === 'warning') say([`${pc.yellow('!')} ${note.name}: ${JSON.parse(note.bodyWire)}`])
      },
      asked: (ask) => {
        printer.object({ ...ask, run: id })
        say([`${pc.magenta('?')} ${ask.title}`, pc.dim(`  almanac answer ${id} ${ask.call} …`)])
      },
    },
  })
  id = handle.id
  printer.object({ kind: 'started', id })
  progress = new Progress(() => handle.snapshot(), { live: !printer.json })
  const stop = stopOnSignals(handle, say)
  try {
    const result = await handle.result
    progress.stop()
    printResult(result, printer)
    return exitCode(result, flags.dryRun === true)
  } finally {
    progress.stop()
    stop()
  }
}

/** The first Ctrl-C cancels with clean-up, the second at once. */
function stopOnSignals(handle: RunHandle, say: (lines: readonly string[]) => void): () => void {
  const onSignal = (): void => {
    say([pc.yellow('Stopping; press Ctrl-C again to skip clean-up.')])
    handle.request('cancel', 'signal')
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return () => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function printResult(result: RunResult, printer: Printer): void {
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
  if (error !== undefined && state === 'failed') {
    printer.line(
      `  ${error.message}${error.file === undefined ? '' : ` ${pc.cyan(`(${relativePath(error.file)}:${error.line})`)}`} ${pc.dim(`[${error.code}]`)}`,
    )
    if (error.hint !== undefined) printer.line(pc.dim(`  ${error.hint}`))
    if (reused + executed > 0) printer.line(pc.dim(`  ${executed + reused} finished calls are kept.`))
  }
  const figures = plainFigures(output)
  if (figures !== '') printer.line(`  ${figures}`)
  if (shown !== undefined) printer.line(`  ${relativePath(shown)}`)
  else if (state === 'succeeded' && output !== null && figures === '')
    printer.line(`  ${JSON.stringify(output)}`)
  if (state !== 'succeeded')
    printer.line(`  almanac ${state === 'waiting' ? `answer ${id}` : `resume ${id}`}`)
}

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

function exitCode({ state, planned }: RunResult, dryRun: boolean): number {
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
