import type { Digest } from '../model/refs.ts'
import type { CodeCache } from './code-cache.ts'
import type { CountedCode, Target } from './counted-code.ts'
import type { ModuleCode } from './module-code.ts'
import type { Part } from './parts.ts'
import { checkStamps, type Stamp } from './stamps.ts'
import type { Finding } from './warnings.ts'

/** What is known of the code that was loaded together: a workflow file and all of the author's that it imports. */
export interface Unit {
  /** under which it is kept in the cache */
  readonly name: string
  /** absolute path of the file that was loaded */
  readonly file: string
  /** name of the bundle in the cache's folder; undefined for modules that Node loaded itself */
  readonly bundle: string | undefined
  /** the author's files */
  readonly inputs: readonly string[]
  /** of their contents, and where they lie in the project */
  readonly digest: Digest
  readonly stamps: readonly Stamp[]
  readonly absent: readonly string[]
  /** the author's modules that define tasks */
  readonly modules: Readonly<Record<string, DefiningModule>>
  /** by `targetKey` */
  readonly counted: Readonly<Record<string, KeptCount>>
  /** parts of all fingerprints: they share most */
  readonly parts: readonly Part[]
}

export interface DefiningModule {
  readonly places: readonly KeptPlace[]
  /** callees of definitions within functions */
  readonly inner: readonly Span[]
}

/** Lines and columns from 1. */
export interface Span {
  readonly from: readonly [line: number, column: number]
  readonly to: readonly [line: number, column: number]
}

export interface KeptPlace extends Span {
  readonly exported?: string
}

export interface KeptCount {
  readonly digest: Digest
  /** indices of the unit's parts */
  readonly parts: readonly number[]
  readonly undeclared: readonly Finding[]
}

/** Undefined where there is none, or where its files have changed. */
export function readUnit(cache: CodeCache, name: string, now: number): Unit | undefined {
  const unit = cache.read(name) as Unit | undefined
  if (unit === undefined) return undefined
  const { holds, fresher } = checkStamps(unit.stamps, unit.absent, now)
  if (!holds) return undefined
  if (fresher === undefined) return unit
  const again = { ...unit, stamps: fresher }
  cache.write(name, again)
  return again
}

export function definingModule({ lines, places, inner }: ModuleCode): DefiningModule {
  const spanOf = ({ start, end }: { readonly start: number; readonly end: number }): Span => ({
    from: [lines.lineOf(start), lines.columnOf(start)],
    to: [lines.lineOf(end), lines.columnOf(end)],
  })
  return {
    places: places.map((one) => ({
      ...spanOf(one),
      ...(one.exported !== undefined && { exported: one.exported }),
    })),
    inner: inner.map(spanOf),
  }
}

/** Adds what was counted to what a unit has. */
export function withCounted(
  unit: Pick<Unit, 'counted' | 'parts'>,
  counted: ReadonlyMap<string, CountedCode>,
): Pick<Unit, 'counted' | 'parts'> {
  const parts = [...unit.parts]
  const known = new Map(parts.map((part, i) => [part.join(' '), i]))
  const indexOf = (part: Part): number => {
    const key = part.join(' ')
    const index = known.get(key) ?? parts.push(part) - 1
    known.set(key, index)
    return index
  }
  const kept = [...counted].map(([key, { digest, parts: own, undeclared }]) => [
    key,
    { digest, parts: own.map(indexOf), undeclared },
  ])
  return { counted: { ...unit.counted, ...Object.fromEntries(kept) }, parts }
}

/**
 * What counts for a task that was defined at a place of a module: the export that is initialised there; the whole
 * file where it is no export; all that was loaded where a function defines it for its caller.
 */
export function targetAt(unit: Unit, file: string, line: number, column: number | undefined): Target {
  const module = unit.modules[file]
  const covers = ({ from, to }: Span): boolean =>
    column === undefined
      ? from[0] <= line && line <= to[0]
      : !before([line, column], from) && !before(to, [line, column])
  if (module?.inner.some(covers) === true) return { file: unit.file, exported: undefined }
  return { file, exported: module?.places.find(covers)?.exported }
}

const before = (a: readonly [number, number], b: readonly [number, number]): boolean =>
  a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])

/** Targets of all definitions that are seen in the code. */
export function targetsOf(unit: Pick<Unit, 'file' | 'modules'>): readonly Target[] {
  const targets: Target[] = []
  for (const [file, { places, inner }] of Object.entries(unit.modules)) {
    if (inner.length > 0) targets.push({ file: unit.file, exported: undefined })
    for (const { exported } of places) targets.push({ file, exported })
  }
  return [...new Map(targets.map((one) => [`${one.file}#${one.exported ?? ''}`, one])).values()]
}
