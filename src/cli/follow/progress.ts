import pc from 'picocolors'
import type { CallState, RunState } from '../../model/states.ts'
import type { RunHandle } from '../../workbench.ts'
import { printable } from '../output/printable.ts'
import { limitName } from '../text/limit-text.ts'

/** What a run tells of itself, ten times a second: the cost does not grow with the run. */
export interface Snapshot {
  readonly state: RunState
  readonly counts: Partial<Record<CallState, number>>
  readonly executed: number
  readonly reused: number
  /** calls in line, by the limit that is short */
  readonly limits?: Readonly<Record<string, number>>
  /** questions to people that are open: titles of the first */
  readonly asks?: readonly string[]
  /** how far each task is: of the first ones, then of all others */
  readonly tasks?: ReturnType<RunHandle['snapshot']>['tasks'] | undefined
  /** files of sources that have come */
  readonly downloads?: Downloads | undefined
}

/** What sources have fetched, all together. */
export interface Downloads {
  readonly done: number
  readonly total: number
  readonly bytes: number
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** One line at the foot of a terminal that follows a run. Elsewhere it says nothing. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #snapshot: () => Snapshot
  readonly #live: boolean
  readonly #started = Date.now()
  readonly #timer: NodeJS.Timeout | undefined
  #frame = 0
  #stopped = false

  constructor(
    snapshot: () => Snapshot,
    options: { readonly live: boolean; readonly stream?: NodeJS.WriteStream },
  ) {
    this.#snapshot = snapshot
    this.#stream = options.stream ?? process.stderr
    // a terminal that cannot clear a line is told only what stays
    this.#live = options.live && this.#stream.isTTY && process.env['TERM'] !== 'dumb'
    if (!this.#live) return
    this.#timer = setInterval(() => this.#draw(), 100)
    this.#timer.unref()
  }

  /** Lines above the progress line, which is drawn again below. */
  above(lines: readonly string[]): void {
    this.#clear()
    for (const line of lines) this.#stream.write(`${printable(line)}\n`)
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#timer)
    this.#clear()
  }

  #draw(): void {
    const { counts, executed, reused, downloads, limits = {} } = this.#snapshot()
    const seconds = (Date.now() - this.#started) / 1000
    const parts = [
      `${executed} executed`,
      `${reused} reused`,
      `${counts.running ?? 0} running`,
      `${counts.waiting ?? 0} waiting`,
      ...Object.entries(limits).map(([name, calls]) => `${calls} for limit ${limitName(name)}`),
      ...(counts.failed === undefined ? [] : [pc.red(`${counts.failed} failed`)]),
      ...(executed > 0 && seconds > 1 ? [`${rate(executed / seconds)}/s`] : []),
      ...(downloads === undefined
        ? []
        : [`${downloads.done} of ${downloads.total} files, ${megabytes(downloads.bytes)}`]),
      `${seconds.toFixed(0)} s`,
    ]
    const text = `${pc.cyan(frames[this.#frame++ % frames.length] ?? '')} ${parts.join(pc.dim(' · '))}`
    this.#clear()
    this.#stream.write(fit(text, this.#stream.columns || 80))
  }

  #clear(): void {
    if (this.#live) this.#stream.write('\r\u001b[2K')
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const rate = (perSecond: number): string => (perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1))

/** A line that wraps could not be drawn over. Colours have no width. */
function fit(text: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what colours are made of
  const plain = text.replace(/\u001b\[\d+m/g, '')
  return plain.length < columns ? text : plain.slice(0, Math.max(0, columns - 1))
}
