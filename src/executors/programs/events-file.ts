import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { AttemptNote } from '../../ports/executor.ts'
import type { AttemptLimits } from '../limits.ts'
import { bytesText } from '../limits.ts'
import { readEventLine } from './event-lines.ts'

/** Lines that are refused are told of one by one up to so many. */
const toldRefusals = 10
const chunkBytes = 2 ** 16
const newline = 10

/** Who hears what the file says: a `LiveAttempt`. */
export interface EventsListener {
  note(note: AttemptNote): void
  heartbeat(): void
  warn(name: string, text: string): void
}

/**
 * The file in `ALMANAC_EVENTS`, read as it grows. Owns an open file and the start of a line that has not ended.
 *
 * E1 the file is made here, before the task starts, and read through this one descriptor: what a task puts in its
 *    place (a pipe that would block, a link elsewhere) is never opened.
 * E2 reading is bounded, for each line and in all.
 */
export class EventsFile {
  readonly #fd: number
  readonly #scratch: string
  readonly #listener: EventsListener
  readonly #limits: AttemptLimits
  /** chunks of a line that has not ended */
  #rest: Buffer[] = []
  #restBytes = 0
  /** the line that has not ended is too long: all up to its end is skipped */
  #skipping = false
  #at = 0
  #readBytes = 0
  #refused = 0
  #open = true

  /** @throws what the file system says */
  constructor(path: string, scratch: string, listener: EventsListener, limits: AttemptLimits) {
    this.#fd = openSync(path, 'wx+', 0o600)
    this.#scratch = scratch
    this.#listener = listener
    this.#limits = limits
  }

  /** Reads what has come since the last time. */
  read(): void {
    if (!this.#open) return
    try {
      this.#readOn()
    } catch (error) {
      this.#open = false
      closeSync(this.#fd)
      this.#listener.warn(
        'events',
        `ALMANAC_EVENTS could not be read any further: ${(error as Error).message}`,
      )
    }
  }

  #readOn(): void {
    const { size } = fstatSync(this.#fd)
    // written anew from its start
    if (size < this.#at) this.#at = 0
    while (this.#at < size && this.#readBytes < this.#limits.eventBytes) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size - this.#at))
      const count = readSync(this.#fd, chunk, 0, chunk.length, this.#at)
      if (count === 0) break
      this.#at += count
      this.#readBytes += count
      this.#take(chunk.subarray(0, count))
      if (this.#readBytes >= this.#limits.eventBytes) {
        this.#listener.warn(
          'events',
          `ALMANAC_EVENTS is read up to ${bytesText(this.#limits.eventBytes)} only.`,
        )
      }
    }
  }

  /** Reads the last of it, a line without its end included. */
  close(): void {
    if (!this.#open) return
    this.read()
    if (!this.#open) return
    this.#lineEnded()
    if (this.#refused > toldRefusals) {
      this.#listener.warn('events', `${this.#refused} lines of ALMANAC_EVENTS were ignored.`)
    }
    this.#open = false
    closeSync(this.#fd)
  }

  #take(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      this.#push(chunk.subarray(from, end))
      this.#lineEnded()
      from = end + 1
    }
    this.#push(chunk.subarray(from))
  }

  #push(part: Buffer): void {
    if (part.length === 0 || this.#skipping) return
    this.#rest.push(part)
    this.#restBytes += part.length
    if (this.#restBytes <= this.#limits.noteBytes) return
    this.#refuse(`it is longer than ${bytesText(this.#limits.noteBytes)}`)
    this.#skipping = true
    this.#rest = []
  }

  #lineEnded(): void {
    const text = Buffer.concat(this.#rest).toString('utf8').trim()
    this.#rest = []
    this.#restBytes = 0
    this.#skipping = false
    if (text === '') return
    const said = readEventLine(text, this.#scratch)
    if (said.kind === 'note') this.#listener.note(said.note)
    else if (said.kind === 'heartbeat') this.#listener.heartbeat()
    else this.#refuse(said.why, text)
  }

  #refuse(why: string, text?: string): void {
    if (++this.#refused > toldRefusals) return
    const line = text === undefined ? '' : `: ${text.slice(0, 200)}`
    this.#listener.warn('events', `A line of ALMANAC_EVENTS was ignored, ${why}${line}`)
  }
}
