/** What a figure should be at least, or at most. */
type Bound = { readonly least: number } | { readonly most: number }

interface Figure {
  readonly of: string
  readonly measured: number
  readonly isMet: boolean
}

const pages = ['calls', 'python', 'arrays', 'journal']

/** Goals of `docs/design/performance.md` beside what was measured: what is missed is said first. */
export class Goals {
  readonly #figures = new Map<string, Figure[]>()

  /** `of`: which of the figures that the goal is about. A figure that there is none of has not met its goal. */
  check(goal: string, bound: Bound, measured: number, of = ''): void {
    const text = 'least' in bound ? `${goal}: ${bound.least} or more` : `${goal}: ${bound.most} or less`
    const isMet = 'least' in bound ? measured >= bound.least : measured <= bound.most
    this.#figures.set(text, [...(this.#figures.get(text) ?? []), { of, measured, isMet }])
  }

  /** A section, as lines of Markdown. */
  lines(): string[] {
    const all = [...this.#figures]
    const missed = all.filter(([, figures]) => figures.some(({ isMet }) => !isMet))
    return [
      '## Goals that are missed',
      '',
      `${missed.length} of ${all.length} goals are missed by these figures. ` +
        '[docs/design/performance.md](../docs/design/performance.md) has all goals and the best that was measured; where the ' +
        `time goes is in ${pages.map((page) => `[${page}.md](../docs/design/performance/${page}.md)`).join(', ')}.`,
      '',
      '| goal | missed with | reached by |',
      '| --- | --- | --- |',
      ...missed.map(([goal, figures]) => `| ${goal} | ${missedWith(figures)} | ${reachedBy(figures)} |`),
    ]
  }
}

const missedWith = (figures: readonly Figure[]): string =>
  figures
    .filter(({ isMet }) => !isMet)
    .map(({ of, measured }) => (of === '' ? shown(measured) : `${of}: ${shown(measured)}`))
    .join('; ')

const reachedBy = (figures: readonly Figure[]): string =>
  `${figures.filter(({ isMet }) => isMet).length} of ${figures.length}`

const shown = (measured: number): string =>
  Number.isNaN(measured) ? 'no figure' : String(Number(measured.toFixed(Math.abs(measured) < 100 ? 2 : 0)))
