import type { RunId } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { Clock } from '../../ports/clock.ts'
import type { WorkClaims, WorkUnderWay } from '../../ports/journal.ts'
import type { WorkHolder } from '../calls/call-info.ts'

/** ms until another process's work is looked at again: at first, how it grows, at most */
const firstLook = 25
const growth = 1.5
const longestLook = 500

/** A task is quick when so many of its calls took less than so many ms on average: to ask who else does it costs more. */
const known = 3
const quickMs = 5

/** Work that an attempt is about to do: of a call of the task. */
export interface ClaimedWork extends WorkUnderWay {
  readonly task: string
}

interface Waiter {
  readonly run: RunId
  readonly wake: () => void
}

/**
 * Of identical calls that are open at once one is executed: over the runs of this process, and over the processes of
 * a journal. One for each engine.
 *
 * X1 only attempts hold a claim; it is given back when they have ended and what is kept of them is durable.
 * X2 who waits holds neither slot nor claim, so nobody waits in a circle.
 * X3 other processes are asked only about tasks that are not known to be quick: two of them may execute the same quick
 *    call at the same time. Within this process never.
 * X4 whoever waits is woken once: by the end of the holder's claim, or never if its own run has ended.
 */
export class SharedWork {
  readonly #claims: WorkClaims
  readonly #clock: Clock
  /** what this process executes */
  readonly #held = new Map<Digest, ClaimedWork>()
  /** of that: what other processes know of */
  readonly #claimed = new Set<Digest>()
  /** of tasks by name: calls that were executed, and the ms that they took */
  readonly #costs = new Map<string, { calls: number; ms: number }>()
  readonly #waiters = new Map<Digest, Waiter[]>()
  /** of what is waited for: what other processes execute */
  readonly #elsewhere = new Set<Digest>()
  #look: { readonly cancel: () => void } | undefined
  #lookMs = firstLook

  constructor(claims: WorkClaims, clock: Clock) {
    this.#claims = claims
    this.#clock = clock
  }

  /** Takes what nobody has; gives, for each in its place, who has it. */
  async take(claims: readonly ClaimedWork[]): Promise<readonly (WorkHolder | undefined)[]> {
    const answers: (WorkHolder | undefined)[] = []
    const free: WorkUnderWay[] = []
    for (const one of claims) {
      const other = this.#held.get(one.fingerprint)
      answers.push(
        other && { fingerprint: other.fingerprint, run: other.run, call: other.call, elsewhere: false },
      )
      if (other !== undefined) continue
      this.#held.set(one.fingerprint, one)
      const { fingerprint, run, call } = one
      if (this.#isQuick(one.task)) continue
      this.#claimed.add(fingerprint)
      free.push({ fingerprint, run, call })
    }
    if (free.length === 0) return answers
    const others = new Map<Digest, WorkUnderWay>()
    for (const other of await this.#claims.take(free)) {
      others.set(other.fingerprint, other)
      this.#held.delete(other.fingerprint)
      this.#claimed.delete(other.fingerprint)
      // whoever came meanwhile waits for the other process now
      if (this.#waiters.has(other.fingerprint)) this.#elsewhere.add(other.fingerprint)
    }
    if (others.size === 0) return answers
    return claims.map(({ fingerprint }, i) => {
      const other = others.get(fingerprint)
      return other === undefined ? answers[i] : { ...other, elsewhere: true }
    })
  }

  /** A call of the task was executed. */
  took(task: string, ms: number): void {
    const cost = this.#costs.get(task) ?? { calls: 0, ms: 0 }
    cost.calls++
    cost.ms += ms
    this.#costs.set(task, cost)
  }

  #isQuick(task: string): boolean {
    const cost = this.#costs.get(task)
    return cost !== undefined && cost.calls >= known && cost.ms < quickMs * cost.calls
  }

  /** Calls `wake` when the holder's claim has ended. */
  wait(run: RunId, { fingerprint, elsewhere }: WorkHolder, wake: () => void): void {
    if (!elsewhere && !this.#held.has(fingerprint) && !this.#elsewhere.has(fingerprint)) return wake()
    const waiters = this.#waiters.get(fingerprint)
    if (waiters === undefined) this.#waiters.set(fingerprint, [{ run, wake }])
    else waiters.push({ run, wake })
    if (elsewhere) this.#elsewhere.add(fingerprint)
    this.#lookMs = firstLook
    this.#lookLater()
  }

  /** The attempt has ended. `kept`: its result is in the run cache, and durable. */
  release(fingerprint: Digest, kept: boolean): void {
    if (!this.#held.delete(fingerprint)) return
    // an entry of the run cache has ended the claim already
    if (this.#claimed.delete(fingerprint) && !kept) this.#giveBack([fingerprint])
    this.#wake(fingerprint)
  }

  /** Nothing of the run goes on in this process. */
  endRun(run: RunId): void {
    for (const [fingerprint, waiters] of this.#waiters) {
      const others = waiters.filter((waiter) => waiter.run !== run)
      if (others.length > 0) this.#waiters.set(fingerprint, others)
      else this.#forget(fingerprint)
    }
    const left = [...this.#held.values()].filter((one) => one.run === run).map((one) => one.fingerprint)
    for (const fingerprint of left) this.release(fingerprint, false)
  }

  #giveBack(fingerprints: readonly Digest[]): void {
    // where the journal fails, whoever records next says so; the claim then ends with this process
    this.#claims.release(fingerprints).catch(() => undefined)
  }

  #wake(fingerprint: Digest): void {
    const waiters = this.#waiters.get(fingerprint) ?? []
    this.#forget(fingerprint)
    for (const { wake } of waiters) wake()
  }

  #forget(fingerprint: Digest): void {
    this.#waiters.delete(fingerprint)
    this.#elsewhere.delete(fingerprint)
    if (this.#elsewhere.size > 0) return
    this.#look?.cancel()
    this.#look = undefined
  }

  #lookLater(): void {
    if (this.#look !== undefined || this.#elsewhere.size === 0) return
    const cancel = this.#clock.at(this.#clock.now() + this.#lookMs, () => {
      this.#lookMs = Math.min(longestLook, this.#lookMs * growth)
      void this.#lookAtOthers()
    })
    this.#look = { cancel }
  }

  async #lookAtOthers(): Promise<void> {
    const asked = [...this.#elsewhere]
    let held: ReadonlySet<Digest>
    try {
      held = new Set((await this.#claims.others()).map(({ fingerprint }) => fingerprint))
    } catch {
      // as if nobody had them: who goes on meets the same failure, and says it
      held = new Set()
    }
    this.#look = undefined
    for (const fingerprint of asked) if (!held.has(fingerprint)) this.#wake(fingerprint)
    this.#lookLater()
  }
}
