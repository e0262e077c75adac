import type { Job } from '../jobs/job.ts'
import type { AttemptLimits } from '../limits.ts'
import { readEventLine } from '../programs/event-lines.ts'
import type { CaptureSizes } from './capture.ts'
import { Capture } from './capture.ts'
import type { SharedFiles } from './shared-files.ts'

/**
 * What a worker process writes, told to the attempt whose it is. Owns the capture and the last words for an obituary.
 * With several attempts at once in the process, what is not told apart there goes to the one that is asked about.
 */
export class WorkerOutput {
  readonly capture: Capture
  /** sizes of the files when the attempt ended that is about to be told of */
  #said: CaptureSizes | undefined
  /** something of the current attempt was read: lines may have begun */
  #touched = false
  #lastWords: string[] = []

  /** `name`: what its files are called. @throws ALM_STORE_FAILED */
  constructor(files: SharedFiles, name: string, limits: AttemptLimits) {
    this.capture = captureIn(files, name, limits)
  }

  get lastWords(): readonly string[] {
    return this.#lastWords
  }

  said(sizes: CaptureSizes): void {
    this.#said = sizes
  }

  /** All that is there now is this attempt's. */
  read(job: Job): void {
    this.#touched = true
    this.capture.read(this.#listener(job))
    if (job.live.full) job.live.drop(this.capture.shrink(true))
  }

  /** The attempt has ended: the rest of what is its own. */
  end(job: Job): void {
    if (this.#said === undefined && !this.#touched) return
    const listener = this.#listener(job)
    this.capture.read(listener, this.#said)
    this.capture.finish(listener)
    this.#said = undefined
    this.#touched = false
    this.#lastWords = []
  }

  /** The process is dead: all that is left, told to the attempt that was running, if there was one. */
  close(job: Job | undefined): void {
    const listener = job === undefined ? nobody : this.#listener(job)
    this.capture.read(listener)
    this.capture.finish(listener)
    this.capture.close()
  }

  #listener(job: Job) {
    const { live } = job
    return {
      get full() {
        return live.full
      },
      lines: (stream: 'stdout' | 'stderr', texts: readonly string[]) => {
        if (stream === 'stderr' && texts.length > 0) {
          this.#lastWords = [...this.#lastWords, ...texts.slice(-maxWords)].slice(-maxWords)
        }
        live.lines(stream, texts)
      },
      drop: (bytes: number) => live.drop(bytes),
      event: (line: string) => tellEvent(job, line),
    }
  }
}

function captureIn(files: SharedFiles, name: string, limits: AttemptLimits): Capture {
  let why = ''
  for (const prefix of files.growing()) {
    try {
      return new Capture(`${prefix}-${name}`, limits.lineLength, limits.noteBytes)
    } catch (error) {
      why = (error as Error).message
    }
  }
  throw files.refusal('what a Python process prints', why)
}

const maxWords = 40
const nobody = { full: false, lines: () => undefined, drop: () => undefined, event: () => undefined }

/** refused lines are told of one by one up to so many */
const toldRefusals = 10

/** A line of the file of events, or one that the convenience module sent. */
export function tellEvent(job: Job, line: string): void {
  if (line.trim() === '') return
  const said = readEventLine(line, job.live.attempt.scratch)
  if (said.kind === 'note') job.live.note(said.note)
  else if (said.kind === 'heartbeat') job.live.heartbeat()
  else {
    job.refusedLines += 1
    if (job.refusedLines > toldRefusals) return
    job.live.warn('events', `A line of ALMANAC_EVENTS was ignored, ${said.why}: ${line.slice(0, 200)}`)
  }
}
