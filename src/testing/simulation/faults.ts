import type { SeededChance } from '../seeded-chance.ts'

/** What may happen, each with how likely it is beside the others. */
export interface Likely {
  /** another process publishes */
  readonly publish: number
  /** somebody sends a message */
  readonly message: number
  /** a person resumes a run that was triggered */
  readonly beside: number
  /** an attempt ends, as its task would */
  readonly end: number
  /** the oldest append becomes durable */
  readonly commit: number
  /** a look-up of code or cache answers */
  readonly answer: number
  /** time passes to the next alarm */
  readonly time: number
  /** a person says what was asked */
  readonly person: number
  /** news of an attempt comes that was told before, or of one that was given up */
  readonly stale: number
  /** the worker of an attempt dies */
  readonly lose: number
  /** a worker dies with all that it holds */
  readonly drop: number
  readonly pause: number
  readonly unpause: number
  readonly cancel: number
  /** another run takes of the same limits, or gives back */
  readonly competingRun: number
  /** the disk is full */
  readonly full: number
  /** the process dies */
  readonly crash: number
}

/** What one life of a run meets. */
export interface Faults {
  readonly likely: Likely
  /** commits wait; otherwise they are done at once */
  readonly isSlowDisk: boolean
  /** look-ups of code and cache wait */
  readonly isSlowLookup: boolean
  /** an attempt that is stopped takes its time */
  readonly isSlowStop: boolean
  /** attempts leave the process */
  readonly isRemote: boolean
  /** tasks that depend on the world around fail */
  readonly isOutage: boolean
  /** chance that something happens while functions go on */
  readonly haste: number
  readonly failFast: boolean
  /** held results that are not let go of when nobody is known to need them */
  readonly sparedCalls: number
}

/** Nothing goes wrong any more. */
export const noFaults: Faults = {
  likely: {
    publish: 0,
    message: 1,
    beside: 0,
    end: 4,
    commit: 4,
    answer: 4,
    time: 0.05,
    person: 1,
    stale: 0,
    lose: 0,
    drop: 0,
    pause: 0,
    unpause: 1,
    cancel: 0,
    competingRun: 0,
    full: 0,
    crash: 0,
  },
  isSlowDisk: false,
  isSlowLookup: false,
  isSlowStop: false,
  isRemote: false,
  isOutage: false,
  haste: 0,
  failFast: false,
  sparedCalls: 1,
}

/** What can happen, in an order that a seed repeats. */
export const happenings = Object.keys(noFaults.likely) as readonly (keyof Likely)[]

export function drawFaults(chance: SeededChance): Faults {
  // some of it is left out, so that the rest is met alone as well
  const maybe = (likely: number): number => (chance.number() < 0.4 ? likely * (0.2 + chance.number()) : 0)
  const speed = (): number => 4 ** (chance.number() * 4 - 2)
  return {
    likely: {
      publish: maybe(0.05),
      message: speed() / 24,
      beside: maybe(0.05),
      end: speed(),
      commit: speed(),
      answer: speed(),
      time: speed() / 20,
      person: speed() / 4,
      stale: maybe(0.3),
      lose: maybe(0.15),
      drop: maybe(0.15),
      pause: maybe(0.03),
      unpause: 0.2,
      cancel: maybe(0.02),
      competingRun: maybe(0.3),
      full: maybe(0.02),
      crash: maybe(0.04),
    },
    isSlowDisk: chance.number() < 0.7,
    isSlowLookup: chance.number() < 0.4,
    isSlowStop: chance.number() < 0.5,
    isRemote: chance.number() < 0.25,
    isOutage: chance.number() < 0.3,
    haste: chance.number() < 0.5 ? 0.2 * chance.number() : 0,
    failFast: chance.number() < 0.3,
    sparedCalls: chance.number() < 0.7 ? 0 : 3,
  }
}
