/** Changes to a text by offset: what is removed leaves its line ends, so that lines keep their numbers. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface EditedText {
  readonly text: string
  /** where a place of the original text went */
  moved(offset: number): number
}

export const insertion = (at: number, text: string): Edit => ({ start: at, end: at, text })

/** Overlapping edits: the one that begins first counts. Insertions at one place keep their order. */
export function edit(source: string, edits: readonly Edit[]): EditedText {
  const sorted = edits.map((one, i) => ({ one, i })).sort((a, b) => a.one.start - b.one.start || a.i - b.i)
  let text = ''
  let done = 0
  const ends: number[] = []
  const shifts: number[] = []
  for (const { one } of sorted) {
    if (one.start < done) continue
    const lineEnds = source.slice(one.start, one.end).replace(/[^\n]+/g, '')
    text += source.slice(done, one.start) + one.text + lineEnds
    done = one.end
    ends.push(one.end)
    shifts.push(text.length - done)
  }
  text += source.slice(done)
  return {
    text,
    moved: (offset) => {
      const before = lastAtMost(ends, offset)
      return before < 0 ? offset : offset + (shifts[before] as number)
    },
  }
}

/** Index of the last of the sorted numbers that is at most `limit`; -1 if none is. */
export function lastAtMost(sorted: readonly number[], limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) <= limit) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Lines of a text: where each begins. */
export class Lines {
  readonly #starts: number[] = [0]

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1)
  }

  /** 1-based */
  lineOf(offset: number): number {
    return lastAtMost(this.#starts, offset) + 1
  }

  /** 1-based */
  columnOf(offset: number): number {
    return offset - (this.#starts[this.lineOf(offset) - 1] as number) + 1
  }

  /** Both 1-based; undefined beyond the last line. */
  offsetOf(line: number, column: number): number | undefined {
    const start = this.#starts[line - 1]
    return start === undefined ? undefined : start + column - 1
  }
}
