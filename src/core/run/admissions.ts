import type { LimitNeeds } from '../../model/limits.ts'
import type { Call } from './call.ts'

/** What calls with the same needs were admitted for, of limits that are shared with other runs. */
interface Door {
  readonly needs: LimitNeeds
  /** held; of those, used by calls that run */
  granted: number
  used: number
  /** calls in queues */
  queued: number
  /** what was asked for last, and has not been granted */
  asked: number
  /** it was answered that there is no more for now: it stands in line */
  isRefused: boolean
  isShared: boolean
  blockedBy: string | undefined
  /** to be given back: used, and not used */
  back: number
  unused: number
}

/** What is to be asked for and given back. */
export interface DoorChange {
  readonly needs: LimitNeeds
  readonly back: number
  readonly unused: number
  readonly wanted: number
}

/** What came of it. */
export interface Admitted {
  readonly limits: string
  readonly calls: number
  readonly isShared: boolean
  /** not all that was asked for: this limit is short */
  readonly blockedBy?: string | undefined
}

/**
 * Which calls may run by the limits that their tasks name. Who else has what is decided outside: this asks for what it
 * could use at once, and gives back what it cannot.
 *
 * D1 calls that run with the same needs are at most as many as were granted for them.
 * D2 nothing is kept that no queued call wants; where others wait, an admission serves one call.
 * D3 what is asked for stays asked for until it is granted or nobody wants it: the place in line is kept.
 */
export class Admissions {
  readonly #doors = new Map<string, Door>()

  get isEmpty(): boolean {
    return this.#doors.size === 0
  }

  queued(call: Call): void {
    this.#door(call).queued++
  }

  unqueued(call: Call): void {
    this.#door(call).queued--
  }

  take(call: Call): void {
    this.#door(call).used++
  }

  give(call: Call): void {
    const door = this.#door(call)
    door.used--
    if (!door.isShared) return
    door.granted--
    door.back++
  }

  isOpen(call: Call): boolean {
    const door = this.#door(call)
    return door.granted > door.used
  }

  /** It is not known yet whether the call may run: a place is kept for it. */
  isUndecided(call: Call): boolean {
    return !this.#door(call).isRefused
  }

  blockedBy(call: Call): string | undefined {
    return this.#door(call).blockedBy
  }

  admit({ limits, calls, isShared, blockedBy }: Admitted): void {
    const door = this.#doors.get(limits)
    if (door === undefined) return
    door.granted += calls
    door.asked = Math.max(0, door.asked - calls)
    door.isShared = isShared
    door.isRefused = blockedBy !== undefined && door.asked > 0
    door.blockedBy = blockedBy
  }

  /** `room`: how many calls of these needs could start if they were admitted. */
  changes(isPaused: boolean, room: (key: string) => number): DoorChange[] {
    const changes: DoorChange[] = []
    for (const door of this.#doors.values()) {
      const free = door.granted - door.used
      const surplus = Math.max(0, free - (isPaused ? 0 : door.queued))
      door.granted -= surplus
      door.unused += surplus
      const wanted = isPaused ? 0 : this.#wanted(door, free - surplus, room(door.needs.key))
      if (wanted === door.asked && door.back + door.unused === 0) continue
      if (wanted > door.asked || wanted === 0) door.isRefused = false
      if (wanted === 0) door.blockedBy = undefined
      door.asked = wanted
      changes.push({ needs: door.needs, back: door.back, unused: door.unused, wanted })
      door.back = 0
      door.unused = 0
    }
    return changes
  }

  /** Calls in line, by the limit that is short. */
  waits(): Readonly<Record<string, number>> {
    const waits: Record<string, number> = {}
    for (const { isRefused, blockedBy, queued, granted, used } of this.#doors.values()) {
      const waiting = queued - (granted - used)
      if (isRefused && blockedBy !== undefined && waiting > 0)
        waits[blockedBy] = (waits[blockedBy] ?? 0) + waiting
    }
    return waits
  }

  /** Numbers of admissions, to be checked. */
  *figures(): Iterable<{
    readonly key: string
    readonly granted: number
    readonly used: number
    readonly queued: number
  }> {
    for (const { needs, granted, used, queued } of this.#doors.values())
      yield { key: needs.key, granted, used, queued }
  }

  #wanted(door: Door, free: number, room: number): number {
    // who stands in line stays there, though others have taken its place to run
    if (door.isRefused) return Math.max(0, Math.min(door.asked, door.queued - free))
    return Math.max(0, Math.min(door.queued, room) - free)
  }

  #door(call: Call): Door {
    const needs = call.policy.limits as LimitNeeds
    let door = this.#doors.get(needs.key)
    if (door === undefined) {
      door = {
        needs,
        granted: 0,
        used: 0,
        queued: 0,
        asked: 0,
        isRefused: false,
        isShared: true,
        blockedBy: undefined,
        back: 0,
        unused: 0,
      }
      this.#doors.set(needs.key, door)
    }
    return door
  }
}
