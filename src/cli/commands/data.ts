import { resolve } from 'node:path'
import pc from 'picocolors'
import { decode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { RunRecord } from '../../model/records.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { Workbench } from '../../workbench.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { table } from '../table.ts'
import { sizeText, timeText } from '../words.ts'

/** `almanac data ls [NAME]`: outputs of the newest run of each workflow, or what is in one of them. */
export function dataListCommand(name: string | undefined, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    if (name !== undefined) {
      const { ref } = await found(almanac, name)
      if (ref instanceof FileRef) {
        printer.object({ kind: 'file', name: ref.name, digest: ref.digest, size: ref.size })
        printer.line(`${ref.digest}  ${sizeText(ref.size)}  ${ref.name}`)
      } else
        for await (const entry of almanac.data.entries(ref)) {
          printer.object({ ...entry, kind: 'entry', entryKind: entry.kind })
          printer.line(
            `${pc.dim(entry.digest.slice(0, 12))}  ${sizeText(entry.size).padStart(10)}  ${entry.path}`,
          )
        }
      return 0
    }
    const rows: string[][] = [['name', 'kind', 'files', 'size', 'run', 'made'].map(pc.dim)]
    for (const [workflow, run] of await newestRuns(almanac)) {
      for (const [field, ref] of outputsOf(run)) {
        const full = `${workflow}/${field}`
        const files = ref instanceof DirRef ? ref.entries : 1
        printer.object({
          kind: 'data',
          name: full,
          type: ref instanceof DirRef ? 'dir' : 'file',
          digest: ref.digest,
          files,
          size: ref.size,
          run: run.id,
        })
        rows.push([
          full,
          ref instanceof DirRef ? 'directory' : 'file',
          String(files),
          sizeText(ref.size),
          run.id,
          timeText(run.endedAt),
        ])
      }
    }
    if (rows.length === 1) printer.line('No outputs yet: what a workflow returns as files is listed here.')
    else for (const line of table(rows)) printer.line(line)
    return 0
  })
}

/** `almanac data get NAME TARGET`: writes an output of a workflow's newest run, or of a run, anywhere. */
export function dataGetCommand(name: string, target: string, flags: CommonFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const { ref, run } = await found(almanac, name)
    await almanac.data.writeTo(ref, resolve(target))
    printer.object({ kind: 'written', name, run: run.id, target: resolve(target), digest: ref.digest })
    printer.line(`${target}  ${sizeText(ref.size)}  ${pc.dim(`of run ${run.id}`)}`)
    return 0
  })
}

/** `WORKFLOW/FIELD[/PATH]` or `RUN/FIELD[/PATH]`. @throws ALM_DATA_UNKNOWN */
async function found(
  almanac: Workbench,
  name: string,
): Promise<{ readonly ref: FileRef | DirRef; readonly run: RunRecord }> {
  const [first = '', field = '', ...path] = name.split('/')
  const run = (await newestRuns(almanac)).get(first) ?? (await almanac.records.run(first))
  const ref = run === undefined ? undefined : new Map(outputsOf(run)).get(field)
  if (run === undefined || ref === undefined) throw new AlmanacError('ALM_DATA_UNKNOWN', { name })
  if (path.length === 0) return { ref, run }
  const inner = path.join('/')
  const below =
    ref instanceof DirRef
      ? ((await almanac.data.fileAt(ref, inner)) ?? (await almanac.data.dirAt(ref, inner)))
      : undefined
  if (below === undefined) throw new AlmanacError('ALM_DATA_UNKNOWN', { name })
  return { ref: below, run }
}

async function newestRuns(almanac: Workbench): Promise<Map<string, RunRecord>> {
  const newest = new Map<string, RunRecord>()
  for (const run of await almanac.records.runs({ limit: 1000, states: ['succeeded'] })) {
    if (!newest.has(run.workflow)) newest.set(run.workflow, run)
  }
  return newest
}

function outputsOf(run: RunRecord): [string, FileRef | DirRef][] {
  const output: Value = run.outputWire === undefined ? undefined : decode(run.outputWire)
  if (output instanceof FileRef || output instanceof DirRef) return [['output', output]]
  if (output === null || typeof output !== 'object') return []
  return Object.entries(output as Record<string, Value>).filter(
    (entry): entry is [string, FileRef | DirRef] => entry[1] instanceof FileRef || entry[1] instanceof DirRef,
  )
}
