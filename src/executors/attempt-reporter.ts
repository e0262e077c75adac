import type { Time } from '../model/records.ts'
import type { Value } from '../model/value.ts'
import type { Clock } from '../ports/clock.ts'
import type { AttemptId, AttemptNote, ExecutorListener, LogLine } from '../ports/executor.ts'
import type { AttemptLimits } from './limits.ts'
import { bytesText } from './limits.ts'
import { splitLines } from './log-lines.ts'

/** Progress and heartbeats come at most this often; the last progress is always told. */
const progressEveryMs = 250
const heartbeatEveryMs = 1000

/**
 * What one attempt says, on its way to the listener. Owns the counts against its limits.
 *
 * V1 no more than the limits is passed on; that something was dropped is said when it begins, how much at the end.
 * V2 after `finish` nothing is passed on.
 */
export class AttemptReporter {
  readonly #attempt: AttemptId
  readonly #listener: ExecutorListener
  readonly #clock: Clock
  readonly #limits: AttemptLimits
  #logBytes = 0
  #droppedBytes = 0
  #notes = 0
  #droppedNotes = 0
  #toldProgressAt = Number.NEGATIVE_INFINITY
  #progress: AttemptNote | undefined
  #untimeProgress: (() => void) | undefined
  #heartbeatAt = Number.NEGATIVE_INFINITY
  #finished = false

  constructor(attempt: AttemptId, listener: ExecutorListener, clock: Clock, limits: AttemptLimits) {
    this.#attempt = attempt
    this.#listener = listener
    this.#clock = clock
    this.#limits = limits
  }

  /** Nothing more of its log will be passed on: no need to decode it. */
  get full(): boolean {
    return this.#droppedBytes > 0
  }

  log(stream: LogLine['stream'], text: string): void {
    this.lines(stream, splitLines(text, this.#limits.lineLength))
  }

  lines(stream: LogLine['stream'], texts: readonly string[]): void {
    if (this.#finished || texts.length === 0) return
    const at = this.#clock.now()
    const lines: LogLine[] = []
    for (const text of texts) {
      const bytes = Buffer.byteLength(text) + 1
      if (this.full || this.#logBytes + bytes > this.#limits.logBytes) {
        if (!this.full) lines.push(this.#fullLine(at))
        this.#droppedBytes += bytes
        continue
      }
      this.#logBytes += bytes
      lines.push({ stream, text, at })
    }
    if (lines.length > 0) this.#listener.log(this.#attempt, lines)
  }

  /** Counts output that was not even decoded. */
  drop(bytes: number): void {
    this.#droppedBytes += bytes
  }

  note(note: AttemptNote): void {
    if (this.#finished) return
    if (note.type === 'progress') {
      this.#noteProgress(note)
      return
    }
    if (this.#notes >= this.#limits.notes) {
      if (this.#droppedNotes++ === 0)
        this.#warn('limit', `It said ${this.#limits.notes} things: what follows is dropped.`)
      return
    }
    this.#notes++
    this.#listener.note(this.#attempt, note)
  }

  warn(name: string, text: string, more: Readonly<Record<string, Value>> = {}): void {
    if (!this.#finished) this.#warn(name, text, more)
  }

  heartbeat(): void {
    const now = this.#clock.now()
    if (this.#finished || now - this.#heartbeatAt < heartbeatEveryMs) return
    this.#heartbeatAt = now
    this.#listener.heartbeat(this.#attempt)
  }

  finish(): void {
    if (this.#finished) return
    this.#untimeProgress?.()
    this.#tellProgress()
    if (this.#droppedNotes > 0) this.#warn('limit', `${this.#droppedNotes} notes were dropped.`)
    if (this.#droppedBytes > 0) {
      const text = `${this.#droppedBytes} bytes of output were dropped.`
      this.#listener.log(this.#attempt, [{ stream: 'log', text, at: this.#clock.now() }])
    }
    this.#finished = true
  }

  #noteProgress(note: AttemptNote): void {
    this.#progress = note
    if (this.#untimeProgress !== undefined) return
    const next = this.#toldProgressAt + progressEveryMs
    if (this.#clock.now() >= next) this.#tellProgress()
    else this.#untimeProgress = this.#clock.at(next, () => this.#tellProgress())
  }

  #tellProgress(): void {
    this.#untimeProgress = undefined
    const progress = this.#progress
    if (progress === undefined) return
    this.#progress = undefined
    this.#toldProgressAt = this.#clock.now()
    this.#listener.note(this.#attempt, progress)
  }

  #warn(name: string, text: string, more: Readonly<Record<string, Value>> = {}): void {
    this.#listener.note(this.#attempt, { type: 'warning', name, body: { text, ...more } })
  }

  #fullLine(at: Time): LogLine {
    return {
      stream: 'log',
      text: `The log is full at ${bytesText(this.#limits.logBytes)}: what follows is dropped.`,
      at,
    }
  }
}
