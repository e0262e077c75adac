import type { AttemptLimits } from '../limits.ts'
import { LineSplitter } from '../log-lines.ts'

const tailBytes = 8192
const tailLines = 20

/** Who hears it: a `LiveAttempt`. */
export interface OutputListener {
  /** nothing more of the log is kept */
  readonly full: boolean
  lines(stream: 'stdout' | 'stderr', texts: readonly string[]): void
  drop(bytes: number): void
}

/** One output stream of a program as lines of a log. Owns a line that has not ended, and the last few kilobytes. */
export class ProgramOutput {
  readonly #stream: 'stdout' | 'stderr'
  readonly #listener: OutputListener
  readonly #splitter: LineSplitter
  readonly #last: Buffer[] = []
  #lastBytes = 0

  constructor(stream: 'stdout' | 'stderr', listener: OutputListener, limits: AttemptLimits) {
    this.#stream = stream
    this.#listener = listener
    this.#splitter = new LineSplitter(limits.lineLength)
  }

  push(chunk: Buffer): void {
    this.#keep(chunk)
    if (this.#listener.full) this.#listener.drop(chunk.length)
    else this.#listener.lines(this.#stream, this.#splitter.push(chunk))
  }

  end(): void {
    this.#listener.lines(this.#stream, this.#splitter.end())
  }

  /** Its last lines, whether the log has them or not: what a failing program says last is why it failed. */
  get tail(): string {
    const bytes = Buffer.concat(this.#last).subarray(-tailBytes)
    return bytes.toString('utf8').trimEnd().split('\n').slice(-tailLines).join('\n')
  }

  #keep(chunk: Buffer): void {
    this.#last.push(chunk)
    this.#lastBytes += chunk.length
    for (
      let [first] = this.#last;
      first !== undefined && this.#lastBytes - first.length >= tailBytes;
      [first] = this.#last
    ) {
      this.#last.shift()
      this.#lastBytes -= first.length
    }
  }
}
