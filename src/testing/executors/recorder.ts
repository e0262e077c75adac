import type { AttemptEnd, AttemptId, AttemptNote, ExecutorListener, LogLine } from '../../ports/executor.ts'

export interface Recorded {
  /** how often it was told of, by itself or with the end */
  readonly started: number
  readonly lines: readonly LogLine[]
  readonly notes: readonly AttemptNote[]
  readonly heartbeats: number
  readonly end: AttemptEnd | undefined
}

interface Story {
  started: number
  lines: LogLine[]
  notes: AttemptNote[]
  heartbeats: number
  end: AttemptEnd | undefined
}

/**
 * A listener that remembers everything, lets a test wait for it, and notices what no executor may do: anything after
 * an end, a second end, something said before the start.
 */
export class Recorder implements ExecutorListener {
  /** what was heard and is not allowed, in words */
  readonly violations: string[] = []
  /** called when an attempt has ended, inside the executor's own call */
  onEnd: (id: AttemptId, end: AttemptEnd) => void = () => undefined
  readonly #stories = new Map<AttemptId, Story>()
  /** who waits for an end: by attempt, so that a batch is not looked through at each event */
  readonly #ends = new Map<AttemptId, ((end: AttemptEnd) => void)[]>()
  #waiting: { readonly holds: () => boolean; readonly go: () => void }[] = []

  /** At the end of a test: throws what was heard and is not allowed. */
  close(): void {
    if (this.violations.length > 0) throw new Error(this.violations.join('\n'))
  }

  started(id: AttemptId): void {
    const story = this.#hear(id, 'started')
    if (++story.started > 1) this.violations.push(`${id} started twice`)
    this.#look()
  }

  log(id: AttemptId, lines: readonly LogLine[]): void {
    this.#say(id, 'log').lines.push(...lines)
    if (lines.length === 0) this.violations.push(`${id} logged no lines`)
    this.#look()
  }

  heartbeat(id: AttemptId): void {
    this.#say(id, 'heartbeat').heartbeats++
    this.#look()
  }

  note(id: AttemptId, note: AttemptNote): void {
    this.#say(id, 'note').notes.push(note)
    this.#look()
  }

  ended(id: AttemptId, end: AttemptEnd): void {
    const story = this.#hear(id, 'ended')
    story.end = withoutTime(end)
    if (end.kind === 'succeeded') {
      if (end.tookMs !== undefined) story.started++
      if (story.started !== 1) this.violations.push(`${id} succeeded after ${story.started} starts`)
    }
    this.onEnd(id, end)
    for (const resolve of this.#ends.get(id) ?? []) resolve(story.end)
    this.#ends.delete(id)
    this.#look()
  }

  of(id: AttemptId): Recorded {
    return this.#story(id)
  }

  /** Texts of its log, of one stream or all. */
  texts(id: AttemptId, stream?: LogLine['stream']): string[] {
    return this.#story(id)
      .lines.filter((line) => stream === undefined || line.stream === stream)
      .map((line) => line.text)
  }

  async end(id: AttemptId): Promise<AttemptEnd> {
    const { end } = this.#story(id)
    if (end !== undefined) return end
    return new Promise((resolve) => {
      this.#ends.set(id, [...(this.#ends.get(id) ?? []), resolve])
    })
  }

  /** Waits until it holds; looked at whenever something was heard. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((go) => {
      this.#waiting.push({ holds, go })
    })
  }

  #story(id: AttemptId): Story {
    let story = this.#stories.get(id)
    if (story === undefined) {
      story = { started: 0, lines: [], notes: [], heartbeats: 0, end: undefined }
      this.#stories.set(id, story)
    }
    return story
  }

  #hear(id: AttemptId, what: string): Story {
    const story = this.#story(id)
    if (story.end !== undefined) this.violations.push(`${id}: ${what} after its end`)
    return story
  }

  #say(id: AttemptId, what: string): Story {
    const story = this.#hear(id, what)
    if (story.started === 0) this.violations.push(`${id}: ${what} before its start`)
    return story
  }

  #look(): void {
    if (this.#waiting.length === 0) return
    const ready = this.#waiting.filter((one) => one.holds())
    if (ready.length === 0) return
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one))
    for (const one of ready) one.go()
  }
}

/** What it took is another each time. */
function withoutTime(end: AttemptEnd): AttemptEnd {
  if (end.kind !== 'succeeded') return end
  const { tookMs: _, ...same } = end
  return same
}
