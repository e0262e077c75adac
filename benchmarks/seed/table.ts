import type { Cell } from './cell.ts'

/** A line of the benchmark: what one engine took for one cell, medians over its repeats. */
export interface Line extends Cell {
  readonly engine: string
  readonly wallS?: number
  /** none where nothing sleeps */
  readonly overheadPercent?: number
  readonly tasksPerS?: number
  readonly cpuMsPerTask?: number
  readonly peakMb?: number
  /** why there are no figures */
  readonly stopped?: string
  readonly load: { readonly before: number; readonly after: number }
  /** minutes, in UTC: from its first repeat to its last */
  readonly taken?: { readonly from: string; readonly to: string }
  /** of what it ran with */
  readonly versions?: Readonly<Record<string, string>>
}

/** Lines as a table of Markdown: a row for each cell, a column for each engine, times also as multiples of the floor's. */
export function seedTable(lines: readonly Line[]): string[] {
  const engines = [...new Set(lines.map(({ engine }) => engine))]
  const cells = Map.groupBy(lines, cellOf)
  const head = ['n', 'MB', 'sleep, s', ...engines]
  return [
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...[...cells].map(([cell, of]) => {
      const floor = of.find(({ engine }) => engine === 'floor')?.wallS
      return `| ${[
        cell,
        ...engines.map((name) =>
          shown(
            of.find(({ engine }) => engine === name),
            floor,
          ),
        ),
      ].join(' | ')} |`
    }),
  ]
}

/** With what the lines of a table were measured, when, and beside how much else. */
export function originOf(lines: readonly Line[]): string {
  const versions = Map.groupBy(
    lines.flatMap((line) => Object.entries(line.versions ?? {})),
    ([name]) => name,
  )
  const texts = [...versions].map(
    ([name, all]) => `${name} ${[...new Set(all.map(([, version]) => version))].join(' and ')}`,
  )
  const loads = lines.flatMap(({ load }) => [load.before, load.after])
  const dated = lines.flatMap(({ taken }) => taken ?? [])
  const from = dated.map((one) => one.from).toSorted()[0]
  const to = dated
    .map((one) => one.to)
    .toSorted()
    .at(-1)
  const undated = lines.length - dated.length
  return [
    ...(texts.length > 0 ? [`With ${texts.join(', ')}.`] : []),
    ...(from === undefined ? [] : [`Taken from ${from} to ${to} UTC.`]),
    ...(undated > 0 ? [`${undated} of ${lines.length} figures do not say when they were taken.`] : []),
    `Load of the machine ${Math.min(...loads)} to ${Math.max(...loads)}.`,
  ].join(' ')
}

function cellOf(line: Line): string {
  return [thousands(line.n), line.sizeMb, sleepOf(line)].join(' | ')
}

export const thousands = (n: number): string => n.toLocaleString('en').replaceAll(',', ' ')

export function sleepOf({ sleepMean, sleepSpread }: Line): string {
  if (sleepMean === 0) return '0'
  return sleepSpread === 0 ? String(sleepMean) : `${sleepMean} ± ${sleepSpread}`
}

function shown(line: Line | undefined, floor: number | undefined): string {
  if (line === undefined) return ''
  if (line.wallS === undefined) return line.stopped ?? ''
  return [
    `${line.wallS.toFixed(2)} s`,
    ...(floor === undefined || line.engine === 'floor' ? [] : [`${(line.wallS / floor).toFixed(2)} ×`]),
    line.overheadPercent === undefined ? `${line.tasksPerS} tasks/s` : `${line.overheadPercent.toFixed(1)} %`,
    `${line.cpuMsPerTask} ms CPU`,
    `${line.peakMb} MB`,
  ].join(', ')
}
