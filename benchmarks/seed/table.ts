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

function cellOf({ n, sizeMb, sleepMean, sleepSpread }: Line): string {
  const sleep = sleepMean === 0 ? '0' : `${sleepMean} ± ${sleepSpread}`
  return [n.toLocaleString('en').replaceAll(',', ' '), sizeMb, sleep].join(' | ')
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
