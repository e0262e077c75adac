import { resolve } from 'node:path'
import pc from 'picocolors'
import { decode } from '../../model/codec.ts'
import type { DatasetVersion } from '../../model/dataset.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { RunRecord } from '../../model/records.ts'
import { DirRef, FileRef, SpilledRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { Workbench } from '../../workbench.ts'
import { anywhere, keyOf, makerText, parseVersion, versionObject } from '../input/dataset-names.ts'
import { shownName } from '../output/printable.ts'
import type { Printer } from '../output/printer.ts'
import { leaveUnread } from '../output/reader-gone.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { sizeText, timeText } from '../text/format.ts'
import { table } from '../text/table.ts'

/** Flags of commands that may be told a part of a directory. */
export interface DataGetFlags extends CommonFlags {
  readonly path?: string
}

/** `almanac data ls [NAME[@VERSION] [PATH]]`: datasets and outputs of workflows, or what is in one of them. */
export function dataListCommand(
  name: string | undefined,
  path: string | undefined,
  flags: CommonFlags,
): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    leaveUnread()
    if (name === undefined) await listAll(almanac, printer)
    else await listOne(almanac, printer, name, path)
    return 0
  })
}

async function listOne(
  almanac: Workbench,
  printer: Printer,
  name: string,
  path: string | undefined,
): Promise<void> {
  const { ref } = await found(almanac, name, path)
  if (ref instanceof FileRef) {
    printer.object({ kind: 'file', name: ref.name, digest: ref.digest, size: ref.size })
    printer.line(`${ref.digest}  ${sizeText(ref.size)}  ${shownName(ref.name)}`)
    return
  }
  for await (const entry of almanac.data.entries(ref)) {
    printer.object({ ...entry, kind: 'entry', entryKind: entry.kind })
    const mark = entry.kind === 'empty-dir' ? '/' : ''
    printer.line(
      `${pc.dim(entry.digest.slice(0, 12))}  ${sizeText(entry.size).padStart(10)}  ${shownName(entry.path)}${mark}`,
    )
  }
}

async function listAll(almanac: Workbench, printer: Printer): Promise<void> {
  const rows: string[][] = [['name', 'kind', 'files', 'size', 'by', 'made'].map(pc.dim)]
  for await (const { dataset, newest, source } of datasetsOf(almanac)) {
    printer.object({
      kind: 'dataset',
      name: dataset,
      ...(newest !== undefined && versionObject(newest)),
      ...(source !== undefined && { source }),
    })
    rows.push([
      newest === undefined ? dataset : `${dataset}@${newest.version}`,
      source === undefined ? 'dataset' : 'external',
      String(newest?.entries ?? ''),
      newest === undefined ? '' : sizeText(newest.size),
      newest === undefined ? '' : makerText(newest),
      timeText(newest?.madeAt),
    ])
  }
  for await (const run of newestRuns(almanac)) {
    for (const [field, ref] of outputsOf(run)) {
      const name = `${run.workflow}/${field}`
      const type = ref instanceof DirRef ? 'dir' : 'file'
      const files = ref instanceof DirRef ? ref.entries : 1
      printer.object({ kind: 'data', name, type, digest: ref.digest, files, size: ref.size, run: run.id })
      const kind = type === 'dir' ? 'directory' : 'file'
      rows.push([name, kind, String(files), sizeText(ref.size), `run ${run.id}`, timeText(run.endedAt)])
    }
  }
  if (rows.length === 1)
    printer.line('Nothing yet: datasets, and what workflows return as files, are listed here.')
  else for (const line of table(rows)) printer.line(line)
}

async function* datasetsOf(almanac: Workbench) {
  const limit = 200
  let after: string | undefined
  for (;;) {
    const query = { limit, ...(after !== undefined && { after }) }
    const rows = await almanac.datasets.list(almanac.environment, query)
    yield* rows
    if (rows.length < limit) return
    after = rows.at(-1)?.dataset
  }
}

/** `almanac data get NAME[@VERSION] TARGET`: writes a version, an output of a workflow, or a part of one, anywhere. */
export function dataGetCommand(name: string, target: string, flags: DataGetFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const { ref, of, version } = await found(almanac, name, flags.path)
    // goes with this process
    await almanac.data.pin(ref)
    try {
      await almanac.data.writeTo(ref, resolve(target))
    } catch (error) {
      throw version === undefined ? error : goneError(error, version)
    }
    const of_ = version === undefined ? { run: of.replace(/^run /, '') } : { version: version.version }
    printer.object({ kind: 'written', name, ...of_, target: resolve(target), digest: ref.digest })
    printer.line(`${target}  ${sizeText(ref.size)}  ${pc.dim(`of ${of}`)}`)
    return 0
  })
}

/** Of a version that was left where it lies, its files may be others by now. */
function goneError(error: unknown, { dataset, version, at, kept }: DatasetVersion): unknown {
  const isGone =
    isAlmanacError(error) && (error.code === 'ALM_INPUT_CHANGED' || error.code === 'ALM_BLOB_MISSING')
  if (at === undefined || kept || !isGone) return error
  return new AlmanacError(
    'ALM_VERSION_GONE',
    { dataset, version, why: error.message.replace(/\.$/, '') },
    { cause: error },
  )
}

interface Found {
  readonly ref: FileRef | DirRef
  /** the version or run that it is of, for people */
  readonly of: string
  readonly version?: DatasetVersion
}

/** @throws ALM_DATA_UNKNOWN */
async function found(almanac: Workbench, name: string, path: string | undefined): Promise<Found> {
  const whole = await wholeNamed(almanac, name)
  if (path === undefined || path === '' || path === '.') return whole
  const inner = path.replace(/\/+$/, '')
  const { ref } = whole
  const below =
    ref instanceof DirRef
      ? ((await almanac.data.fileAt(ref, inner)) ?? (await almanac.data.dirAt(ref, inner)))
      : undefined
  if (below === undefined) throw new AlmanacError('ALM_DATA_UNKNOWN', { name: `${name} ${path}` })
  return { ...whole, ref: below }
}

/** A version, or an output: what stands behind an "@" may be of the name of a file. @throws ALM_DATA_UNKNOWN, ALM_USAGE */
async function wholeNamed(almanac: Workbench, name: string): Promise<Found> {
  const { dataset, version: number } = /@\d+$/.test(name) ? parseVersion(name) : { dataset: name }
  const version = await almanac.datasets.version(keyOf(almanac, dataset), number)
  if (version !== undefined)
    return { ref: anywhere(version), of: `${version.dataset}@${version.version}`, version }
  const output = await outputNamed(almanac, name)
  if (output !== undefined) return output
  // says what a version is
  parseVersion(name)
  throw new AlmanacError('ALM_DATA_UNKNOWN', { name })
}

/** `WORKFLOW/FIELD[/PATH]` or `RUN/FIELD[/PATH]`. */
async function outputNamed(almanac: Workbench, name: string): Promise<Found | undefined> {
  const [first = '', field = '', ...path] = name.split('/')
  const { records, environment } = almanac
  const [newest] = await records.runs({ workflow: first, environment, states: ['succeeded'], limit: 1 })
  const run = newest ?? (await records.run(first))
  const ref = run === undefined ? undefined : new Map(outputsOf(run)).get(field)
  if (run === undefined || ref === undefined) return undefined
  const of = `run ${run.id}`
  if (path.length === 0) return { ref, of }
  const inner = path.join('/')
  const below =
    ref instanceof DirRef
      ? ((await almanac.data.fileAt(ref, inner)) ?? (await almanac.data.dirAt(ref, inner)))
      : undefined
  return below === undefined ? undefined : { ref: below, of }
}

/** Of each workflow the newest run that gave something, newest first. */
async function* newestRuns({ records, environment }: Workbench): AsyncGenerator<RunRecord> {
  const limit = 200
  let before: string | undefined
  for (;;) {
    const runs = await records.runs({
      environment,
      states: ['succeeded'],
      newestOfEach: true,
      limit,
      ...(before !== undefined && { before }),
    })
    yield* runs
    if (runs.length < limit) return
    before = runs.at(-1)?.id
  }
}

function outputsOf(run: RunRecord): [string, FileRef | DirRef][] {
  const output: Value = run.outputWire === undefined ? undefined : decode(run.outputWire)
  // what is kept beside the journal speaks of no files
  if (output instanceof SpilledRef) return []
  if (output instanceof FileRef || output instanceof DirRef) return [['output', output]]
  if (output === null || typeof output !== 'object') return []
  return Object.entries(output as Record<string, Value>).filter(
    (entry): entry is [string, FileRef | DirRef] => entry[1] instanceof FileRef || entry[1] instanceof DirRef,
  )
}
