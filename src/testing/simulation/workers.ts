import { HeldRef } from '../../model/refs.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { Attempt, AttemptEnd, AttemptId, Executor, ExecutorListener } from '../../ports/executor.ts'
import { Broken } from './failure.ts'
import type { Faults } from './faults.ts'

interface Watch {
  submitted(attempt: Attempt): void
  ended(id: AttemptId, end: AttemptEnd): void
}

/**
 * The executor of a simulated process: attempts end when the simulation says so.
 *
 * S29 nothing is let go of that an attempt takes which is under way and was not told to stop.
 */
export class Workers implements Executor {
  readonly name = 'simulated'
  readonly afterCommit: boolean
  readonly open = new Map<AttemptId, Attempt>()
  /** asked to stop, and still at it */
  readonly stopping = new Set<AttemptId>()
  /** what was said before, and what workers that were given up may still say */
  readonly stale: { readonly id: AttemptId; readonly end: AttemptEnd }[] = []
  /** results that are held, by handle: by whom */
  readonly held = new Map<number, string>()
  #handle = 0
  readonly #listener: ExecutorListener
  readonly #watch: Watch
  readonly #isSlowStop: boolean

  constructor(listener: ExecutorListener, faults: Pick<Faults, 'isRemote' | 'isSlowStop'>, watch: Watch) {
    this.#listener = listener
    this.afterCommit = faults.isRemote
    this.#isSlowStop = faults.isSlowStop
    this.#watch = watch
  }

  accepts(): boolean {
    return true
  }

  submit(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      this.#watch.submitted(attempt)
      this.open.set(attempt.id, attempt)
    }
  }

  /** Attempts are given to it while functions go on. */
  beginNow(): void {
    // what becomes of them is the simulation's to say
  }

  start(id: AttemptId): void {
    this.#listener.started(id)
  }

  end(id: AttemptId, end: AttemptEnd): void {
    const attempt = this.open.get(id)
    this.open.delete(id)
    this.stopping.delete(id)
    this.#watch.ended(id, end)
    if (attempt?.usesUp === true && end.kind === 'succeeded' && attempt.call % 2 === 0) this.#useUp(attempt)
    this.stale.push({ id, end })
    if (end.kind === 'lost')
      this.stale.push({ id, end: { kind: 'succeeded', values: { '': 'of a worker that was given up' } } })
    this.#listener.ended(id, end)
  }

  /** Keeps what an attempt gives, and gives what stands for it. */
  hold({ key }: Attempt, value: number): HeldRef {
    const holder = `w${this.#handle % 3}`
    this.held.set(++this.#handle, holder)
    return new HeldRef(key, [], String(value), 8, holder, this.#handle)
  }

  persist(handle: number): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.held.has(handle) ? new Uint8Array(8) : undefined)
  }

  restore(_: Uint8Array, { key, path, type, size }: HeldRef): Promise<HeldRef> {
    const holder = `w${this.#handle % 3}`
    this.held.set(++this.#handle, holder)
    return Promise.resolve(new HeldRef(key, path, type, size, holder, this.#handle))
  }

  release(handles: readonly number[]): void {
    for (const attempt of this.open.values()) {
      const taken = handlesIn(attempt).find((handle) => handles.includes(handle) && this.held.has(handle))
      if (taken !== undefined && !this.stopping.has(attempt.id))
        throw new Broken(
          'S29',
          `attempt ${attempt.id} of call ${attempt.call} takes ${taken}, which is let go of`,
        )
    }
    for (const handle of handles) this.held.delete(handle)
  }

  /** What an attempt needs and nobody holds any more. */
  missing(attempt: Attempt): number[] {
    return handlesIn(attempt).filter((handle) => !this.held.has(handle))
  }

  /** A worker that holds much does not wait until it is told to let go. */
  #useUp(attempt: Attempt): void {
    for (const handle of handlesIn(attempt)) this.held.delete(handle)
  }

  /** One that holds something dies. */
  drop(holder: string): void {
    const gone = [...this.held].filter(([, by]) => by === holder).map(([handle]) => handle)
    for (const handle of gone) this.held.delete(handle)
    this.#listener.heldLost?.(gone)
  }

  /** Says again what was said, or what nobody should hear. */
  repeat(index: number): void {
    const [news] = this.stale.splice(index, 1)
    if (news !== undefined) this.#listener.ended(news.id, news.end)
  }

  cancel(id: AttemptId): void {
    if (!this.open.has(id)) return
    if (this.#isSlowStop) this.stopping.add(id)
    else this.end(id, { kind: 'cancelled' })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function handlesIn({ inputs }: Attempt): number[] {
  const handles: number[] = []
  eachRef(inputs, (ref) => {
    if (ref instanceof HeldRef) handles.push(ref.handle)
  })
  return handles
}
