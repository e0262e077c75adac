/** One point of the benchmark: so many tasks, sleeping so long, giving so much. */
export interface Cell {
  readonly n: number
  readonly sleepMean: number
  readonly sleepSpread: number
  readonly sizeMb: number
  readonly parallel: number
}

/** A cell as the engines read it. */
export interface GivenCell {
  readonly parallel: number
  /** float64 numbers in each array */
  readonly length: number
  /** seconds that each task sleeps */
  readonly times: readonly number[]
}

/** Sleeping times, uniform in mean ± spread: the same for every engine and every repeat. */
export function givenCell(cell: Cell): GivenCell {
  const next = chance(20260711)
  const { n, parallel, sleepMean, sleepSpread, sizeMb } = cell
  const times = Array.from({ length: n }, () => Math.max(0, sleepMean + (2 * next() - 1) * sleepSpread))
  return { parallel, times, length: lengthOf(sizeMb) }
}

/** An array has an element at least: the sum is checked in cells without a size as well. */
const lengthOf = (sizeMb: number): number => Math.max(1, Math.round((sizeMb * 1e6) / 8))

/** What `check` must give: all elements of the sum of 0, 1, … n - 1. */
export const closedForm = ({ n, sizeMb }: Cell): readonly number[] => {
  const sum = (n * (n - 1)) / 2
  return [sum, sum, lengthOf(sizeMb)]
}

/** The seed's formula: what the run took over the sleeps spread evenly; undefined without sleeps. */
export function overheadPercent(seconds: number, given: GivenCell): number | undefined {
  const ideal = given.times.reduce((sum, time) => sum + time, 0) / given.parallel
  return ideal === 0 ? undefined : (100 * (seconds - ideal)) / ideal
}

/** Numbers in [0, 1), by mulberry32. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const cells = (
  ns: readonly number[],
  sizes: readonly number[],
  sleeps: readonly (readonly [number, number])[],
): Omit<Cell, 'parallel'>[] =>
  sizes.flatMap((sizeMb) =>
    sleeps.flatMap(([sleepMean, sleepSpread]) => ns.map((n) => ({ n, sleepMean, sleepSpread, sizeMb }))),
  )

/** Named sets of cells. */
export const grids: Readonly<Record<string, readonly Omit<Cell, 'parallel'>[]>> = {
  /** the team's table: days for engines that can do it at all */
  seed: cells(
    [1000, 2000, 4000, 8000, 16000, 32000, 64000, 80000, 128000],
    [0.1, 10],
    [
      [1, 0.1],
      [6, 4],
    ],
  ),
  small: [
    ...cells([1000], [0.1, 10], [[0.1, 0.05]]),
    ...cells(
      [4000],
      [0.1, 10],
      [
        [0.02, 0.01],
        [0, 0],
      ],
    ),
  ],
  /** what has a goal */
  goals: [
    ...cells([1000], [0.1, 10], [[6, 4]]),
    ...cells([1000, 4000], [0.1, 10], [[1, 0.1]]),
    ...cells(
      [1000, 4000, 10000],
      [0.1, 10],
      [
        [0.1, 0.05],
        [0.02, 0.01],
        [0, 0],
      ],
    ),
  ],
}
