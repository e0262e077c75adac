import pc from 'picocolors'
import { decode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Workbench } from '../../workbench.ts'
import { parseDuration } from '../input/durations.ts'
import { nextCommand } from '../output/command-text.ts'
import type { Printer } from '../output/printer.ts'
import { wholeWire } from '../runs/calls.ts'
import { type CommonFlags, count, withFreeingAlmanac, withReadAlmanac } from '../session.ts'
import { partName, partText } from '../text/fingerprint-parts.ts'
import { durationText, sizeText, timeText } from '../text/format.ts'
import { table } from '../text/table.ts'
import { fullText } from '../text/values.ts'

type Entry = Awaited<ReturnType<Workbench['entries']['list']>>[number]

export interface CacheListFlags extends CommonFlags {
  readonly limit?: string
  readonly before?: string
}

/** `almanac cache ls [TASK]`: kept results, newest first. */
export function cacheListCommand(task: string | undefined, flags: CacheListFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const limit = flags.limit === undefined ? 20 : count('--limit', flags.limit)
    const entries = await almanac.entries.list({
      limit,
      ...(task !== undefined && { name: task }),
      ...(flags.before !== undefined && { before: count('--before', flags.before) }),
    })
    for (const entry of entries) printer.object(entryObject(entry))
    if (entries.length === 0) {
      printer.line(task === undefined ? 'No results are kept yet.' : `No results of ${task} are kept.`)
      return 0
    }
    const heads = ['fingerprint', 'task', 'made', 'cost', 'size', 'hits'].map(pc.dim)
    for (const line of table([heads, ...entries.map(cells)])) printer.line(line)
    const last = entries.at(-1)
    if (entries.length === limit && last !== undefined) printer.line(pc.dim(`more: --before ${last.seq}`))
    return 0
  })
}

const cells = ({ fingerprint, name, at, costMs, bytes, hits }: Entry): string[] => [
  fingerprint.slice(0, 12),
  name,
  timeText(at),
  durationText(costMs),
  sizeText(bytes),
  String(hits),
]

function entryObject({ valueWire, partsWire, seq, ...entry }: Entry): object {
  return {
    kind: 'entry',
    ...entry,
    place: seq,
    value: JSON.parse(valueWire) as unknown,
    parts: JSON.parse(partsWire) as unknown,
  }
}

/** `almanac cache show FINGERPRINT`: what a kept result is known by, and what it is. */
export function cacheShowCommand(prefix: string, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const kept = await onlyEntry(almanac, prefix)
    const entry = { ...kept, valueWire: await wholeWire(almanac, kept.valueWire) }
    const variations = await almanac.entries.variations({ fingerprint: entry.fingerprint, limit: 10 })
    printer.object({ ...entryObject(entry), variations })
    printer.line(`${pc.bold(entry.name)} ${entry.fingerprint}`)
    const made = `${timeText(entry.at)}, by run ${entry.run}, call ${entry.call}, in ${durationText(entry.costMs)}`
    printer.line(`  made   ${made}`)
    const used = entry.usedAt === undefined ? '' : `, last ${timeText(entry.usedAt)}`
    printer.line(`  used   ${entry.hits} ${entry.hits === 1 ? 'time' : 'times'}${used}`)
    printer.line(`  size   ${sizeText(entry.bytes)}`)
    printer.line(`  value  ${fullText(decode(entry.valueWire), 500)}`)
    printer.line('  It is known by:')
    const parts = Object.entries(JSON.parse(entry.partsWire) as Record<string, string>)
    for (const line of table(parts.map(([part, text]) => [`    ${partName(part)}`, partText(text)])))
      printer.line(line)
    for (const { run, call } of variations)
      printer.line(
        `${pc.yellow('!')} run ${run}, call ${call} gave another result for the same: see docs/cache.md`,
      )
    return 0
  })
}

/** @throws ALM_USAGE */
async function onlyEntry(almanac: Workbench, prefix: string): Promise<Entry> {
  const found = await almanac.entries.list({ prefix, limit: 10 })
  const [first] = found
  if (first !== undefined && new Set(found.map(({ fingerprint }) => fingerprint)).size === 1) return first
  throw notOne(prefix, found.length)
}

/** Is one result meant, here and where it is shared? @throws ALM_USAGE */
async function checkOnly({ entries, sharedEntries }: Workbench, prefix: string): Promise<void> {
  const found = new Set((await entries.list({ prefix, limit: 10 })).map(({ fingerprint }) => fingerprint))
  for (const fingerprint of (await sharedEntries?.find(prefix)) ?? []) found.add(fingerprint)
  if (found.size !== 1) throw notOne(prefix, found.size)
}

function notOne(prefix: string, found: number): AlmanacError {
  const why =
    found === 0 ? `no kept result begins with ${prefix}` : `several kept results begin with ${prefix}`
  return new AlmanacError('ALM_USAGE', { why: `${why}: see ${nextCommand('cache ls')}` })
}

export interface CacheRemoveFlags extends CommonFlags {
  readonly task?: string
  readonly olderThan?: string
  readonly all?: boolean
  readonly dryRun?: boolean
}

/** `almanac cache rm`: what is removed is executed again when it is needed. */
export function cacheRemoveCommand(prefixes: readonly string[], flags: CacheRemoveFlags): Promise<void> {
  return withFreeingAlmanac(flags, async (almanac, printer) => {
    const choices = await chosen(almanac, prefixes, flags)
    const dryRun = flags.dryRun === true
    const { sharedEntries: others } = almanac
    let [entries, bytes, shared] = [0, 0, 0]
    // first for all: what is left here if that fails can be removed again
    if (others?.isWritable === true)
      for (const choice of choices) shared += (await others.clear({ ...choice, dryRun })).entries
    for (const choice of choices) {
      const cleared = await almanac.entries.clear({ ...choice, dryRun })
      entries += cleared.entries
      bytes += cleared.bytes
    }
    const { url, isWritable } = others ?? {}
    const store = others === undefined ? {} : { shared: { store: url, entries: shared, isWritable } }
    printer.object({ kind: 'removed', entries, bytes, dryRun, ...store })
    sayRemoved(printer, { entries, bytes, shared, dryRun }, others)
    return 0
  })
}

function sayRemoved(
  printer: Printer,
  {
    entries,
    bytes,
    shared,
    dryRun,
  }: { readonly entries: number; readonly bytes: number; readonly shared: number; readonly dryRun: boolean },
  others: Workbench['sharedEntries'],
): void {
  const did = dryRun ? 'Would remove' : 'Removed'
  const results = (count: number) => `${count} kept ${count === 1 ? 'result' : 'results'}`
  const here = others === undefined ? '' : ' on this machine'
  printer.line(`${did} ${results(entries)} of ${sizeText(bytes)}${here}.`)
  if (others?.isWritable === true)
    printer.line(`${did} ${results(shared)} in ${others.url}; other machines keep what they made themselves.`)
  if (others?.isWritable === false)
    printer.line(`Results in ${others.url} stay, and are used again: they are only read here.`)
  if (!dryRun && entries > 0) printer.line(pc.dim(`${nextCommand('gc')} frees what nothing else needs.`))
}

/** @throws ALM_USAGE */
async function chosen(
  almanac: Workbench,
  prefixes: readonly string[],
  { task, olderThan, all }: CacheRemoveFlags,
): Promise<readonly { readonly name?: string; readonly prefix?: string; readonly notSince?: number }[]> {
  if (prefixes.length + Number(task !== undefined) + Number(olderThan !== undefined) === 0 && all !== true)
    throw new AlmanacError('ALM_USAGE', {
      why: 'cache rm: say which: a fingerprint, --task NAME, --older-than 30d, or --all',
    })
  const common = {
    ...(task !== undefined && { name: task }),
    ...(olderThan !== undefined && { notSince: Date.now() - parseDuration('--older-than', olderThan) }),
  }
  if (prefixes.length === 0) return [common]
  for (const prefix of prefixes) await checkOnly(almanac, prefix)
  return prefixes.map((prefix) => ({ ...common, prefix }))
}

/** `almanac cache stats`: what is kept, and what it has saved. */
export function cacheStatsCommand(flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const tasks = await almanac.entries.savings()
    const all = tasks.reduce(
      (sum, task) => ({
        entries: sum.entries + task.entries,
        bytes: sum.bytes + task.bytes,
        hits: sum.hits + task.hits,
        savedMs: sum.savedMs + task.savedMs,
        savedBytes: sum.savedBytes + task.savedBytes,
      }),
      { entries: 0, bytes: 0, hits: 0, savedMs: 0, savedBytes: 0 },
    )
    printer.object({ kind: 'cache', ...all, tasks })
    if (tasks.length === 0) {
      printer.line('No results are kept yet.')
      return 0
    }
    const heads = ['task', 'kept', 'size', 'hits', 'saved', 'saved size'].map(pc.dim)
    const row = (name: string, of: typeof all): string[] => [
      name,
      String(of.entries),
      sizeText(of.bytes),
      String(of.hits),
      durationText(of.savedMs),
      sizeText(of.savedBytes),
    ]
    const rows = tasks.map((task) => row(task.name, task))
    for (const line of table([heads, ...rows, row(pc.bold('in all'), all)])) printer.line(line)
    for (const { name, varied } of tasks)
      if (varied > 0)
        printer.line(
          `${pc.yellow('!')} ${name} gave different results for the same ${varied === 1 ? 'call' : `${varied} calls`}: ${nextCommand(`cache ls ${name}`)}`,
        )
    return 0
  })
}
