import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs'
import { LineSplitter } from '../log-lines.ts'

/**
 * What a worker process writes to its descriptors 1 and 2, and to the file of events, read from files behind them.
 * Files, not pipes: a pipe that is full stops a library that holds Python's lock, and then nothing empties it.
 * Owns the files and how far they were read.
 *
 * C1 what was in the files when an attempt ended is told before its end, what came later is not
 * C2 what no log has room for is neither decoded nor kept
 */
export class Capture {
  readonly #stdout: Tail
  readonly #stderr: Tail
  readonly #events: Tail

  /** Makes the files, all or none; those of output have no name once they are open. */
  constructor(prefix: string, lineLength: number, noteBytes: number) {
    const made: Tail[] = []
    const make = (name: string, length: number): Tail => {
      const tail = new Tail(`${prefix}-${name}`, length)
      made.push(tail)
      return tail
    }
    try {
      this.#stdout = make('out', lineLength)
      this.#stderr = make('err', lineLength)
      this.#events = make('events', noteBytes)
    } catch (error) {
      for (const tail of made) tail.close()
      throw error
    }
    this.#stdout.hide()
    this.#stderr.hide()
  }

  get descriptors(): readonly [number, number] {
    return [this.#stdout.descriptor, this.#stderr.descriptor]
  }

  get eventsPath(): string {
    return this.#events.path
  }

  /** Tells what was written since the last time, up to these sizes of the files. */
  read(listener: CaptureListener, upTo?: CaptureSizes): void {
    this.#tell(listener, 'stdout', this.#stdout, upTo?.[0])
    this.#tell(listener, 'stderr', this.#stderr, upTo?.[1])
    while (this.#events.unread(upTo?.[2]) > 0) {
      const lines = this.#events.chunk(upTo?.[2])
      if (lines === undefined) return
      for (const line of lines) listener.event(line)
    }
  }

  /** Tells lines that have no end: nothing more of this attempt will come. */
  finish(listener: CaptureListener): void {
    for (const [stream, tail] of [
      ['stdout', this.#stdout],
      ['stderr', this.#stderr],
    ] as const) {
      const lines = tail.rest()
      if (listener.full) for (const line of lines) listener.drop(Buffer.byteLength(line))
      else listener.lines(stream, lines)
    }
    for (const line of this.#events.rest()) listener.event(line)
  }

  /** Frees what was read, where nobody is about to write; with `all` also what was not: it is dropped and counted. */
  shrink(all: boolean): number {
    let dropped = 0
    for (const tail of [this.#stdout, this.#stderr, this.#events]) {
      const unread = tail.unread()
      if (tail.position + unread < (all ? keepOfFlood : keepIdle) || (unread > 0 && !all)) continue
      tail.empty()
      dropped += unread
    }
    return dropped
  }

  close(): void {
    for (const tail of [this.#stdout, this.#stderr, this.#events]) tail.close()
  }

  #tell(listener: CaptureListener, stream: 'stdout' | 'stderr', tail: Tail, upTo: number | undefined): void {
    while (tail.unread(upTo) > 0) {
      if (listener.full) {
        listener.drop(tail.skip(upTo))
        return
      }
      const lines = tail.chunk(upTo)
      if (lines === undefined) return
      listener.lines(stream, lines)
    }
  }
}

/** Of the files of standard output, standard error and events. */
export type CaptureSizes = readonly [number, number, number]

/** The attempt whose output it is. */
export interface CaptureListener {
  readonly full: boolean
  lines(stream: 'stdout' | 'stderr', texts: readonly string[]): void
  drop(bytes: number): void
  event(line: string): void
}

/** A file that grows, read line by line. */
class Tail {
  readonly path: string
  readonly descriptor: number
  /** bytes that were read */
  position = 0
  readonly #splitter: LineSplitter

  constructor(path: string, lineLength: number) {
    this.path = path
    this.descriptor = openSync(
      path,
      constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_EXCL,
      0o600,
    )
    this.#splitter = new LineSplitter(lineLength)
  }

  hide(): void {
    rmSync(this.path)
  }

  unread(upTo = fstatSync(this.descriptor).size): number {
    return Math.max(0, upTo - this.position)
  }

  /** Lines that end in the next bytes; undefined if there are none after all. */
  chunk(upTo?: number): string[] | undefined {
    const chunk = Buffer.allocUnsafe(Math.min(this.unread(upTo), chunkSize))
    const read = readSync(this.descriptor, chunk, 0, chunk.length, this.position)
    if (read === 0) return undefined
    this.position += read
    return this.#splitter.push(chunk.subarray(0, read))
  }

  skip(upTo = Number.POSITIVE_INFINITY): number {
    // a size that was told before the file was emptied is more than there is
    const skipped = this.unread(Math.min(upTo, fstatSync(this.descriptor).size))
    this.position += skipped
    return skipped
  }

  rest(): string[] {
    return this.#splitter.end()
  }

  empty(): void {
    ftruncateSync(this.descriptor)
    this.position = 0
  }

  close(): void {
    closeSync(this.descriptor)
    rmSync(this.path, { force: true })
  }
}

const chunkSize = 256 * 1024
/** Files up to this size are left as they are; during a flood what comes while one is emptied goes uncounted. */
const keepIdle = 1024 * 1024
const keepOfFlood = 32 * 1024 * 1024
