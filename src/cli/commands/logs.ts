import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import type { Workbench } from '../../workbench.ts'
import type { Printer } from '../output/printer.ts'
import { leaveUnread } from '../output/reader-gone.ts'
import { knownRun, namedCalls } from '../runs/calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { Events } from '../text/events.ts'
import { clockText } from '../text/format.ts'

export interface LogsFlags extends CommonFlags {
  readonly follow?: boolean
}

type Position = Awaited<ReturnType<Workbench['logs']['read']>>['next']

const followMs = 250

/** `almanac logs RUN [TASK] [-f]` */
export function logsCommand(run: string, task: string | undefined, flags: LogsFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    leaveUnread()
    const elsewhere = await foreignCalls(almanac, run, task)
    if (elsewhere.length > 0) {
      for (const call of elsewhere) await printNew(almanac, run, call, new Map(), printer)
      return 0
    }
    const { id } = await knownRun(almanac, run)
    const read = new Map<number, Position>()
    const events = new Events(almanac, id, task)
    let printed = 0
    for (;;) {
      // asked first: what is written before the end is there when the calls are read
      const goesOn = flags.follow === true && (await hasProcess(almanac, id))
      if (task !== undefined && read.size === 0) await namedCalls(almanac, id, task, 1)
      for await (const call of printedCalls(almanac, id, task))
        printed += await printNew(almanac, id, call, read, printer)
      printed += await events.print(printer)
      if (!goesOn) {
        if (printed === 0 && !printer.json) printer.aside(pc.dim('Nothing was printed.'))
        return 0
      }
      await pause(followMs)
    }
  })
}

/** Of a run that this machine does not know, the calls whose logs are in a shared store. */
async function foreignCalls(almanac: Workbench, run: string, task: string | undefined) {
  if (almanac.logs.calls === undefined || run === 'last' || !/^[\w-]+$/.test(run)) return []
  if ((await almanac.records.run(run)) !== undefined) return []
  const calls = await almanac.logs.calls(run)
  return calls.filter(({ call, name }) => task === undefined || task === name || task === String(call))
}

/** Does a living process execute the run? */
async function hasProcess(almanac: Workbench, run: string): Promise<boolean> {
  return (await almanac.records.claimed([run])).length > 0
}

/** Calls with lines, in order: of the others, which may be a million, nothing is asked. */
async function* printedCalls(almanac: Workbench, run: string, task: string | undefined) {
  const [only, name] =
    task === undefined || !/^\d+$/.test(task) ? [undefined, task] : [Number(task), undefined]
  let page: Awaited<ReturnType<typeof almanac.records.calls>> = []
  let next = 0
  for (const { call, attempts } of await almanac.logs.printed(run)) {
    if (only !== undefined && call !== only) continue
    // those that follow each other come by pages, those that lie apart one by one
    const end = page.at(-1)?.call ?? -1
    if (call > end) {
      const limit = next === end ? Math.min(1000, page.length * 2) : 1
      page = await almanac.records.calls(run, {
        after: call - 1,
        limit: Math.max(1, limit),
        ...(name !== undefined && { name }),
      })
    }
    next = call
    const found = page.find((row) => row.call === call)
    if (found !== undefined) yield { call, name: found.name, attempts }
  }
}

/** Prints what came since it was read; gives how many lines. */
async function printNew(
  almanac: Workbench,
  run: string,
  call: { readonly call: number; readonly name: string; readonly attempts?: readonly number[] },
  read: Map<number, Position>,
  printer: Printer,
): Promise<number> {
  let printed = 0
  for (;;) {
    const { lines, next } = await almanac.logs.read(run, call.call, read.get(call.call), 1000, call.attempts)
    read.set(call.call, next)
    for (const { at, stream, text, attempt } of lines) {
      printer.object({ kind: 'log', run, call: call.call, task: call.name, attempt, stream, at, text })
      printer.line(
        `${pc.dim(`${clockText(at)} ${call.name} ${call.call}`)} ${stream === 'stderr' ? pc.yellow(text) : text}`,
      )
    }
    printed += lines.length
    if (lines.length < 1000) return printed
  }
}
