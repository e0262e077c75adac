import { AlmanacError } from '../model/errors.ts'
import type { LimitNeed, LimitNeeds, LimitRate, LimitRule } from '../model/limits.ts'

/** So many in so long: `'10/s'`, `'100/h'`, `'30/10m'`. */
export type Rate = `${number}/${'' | number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** How much there is of a limit: `4` is short for `{ capacity: 4 }`. */
export type Limit = number | LimitOptions

/** A limit that tasks name. */
export interface LimitOptions {
  /** units that may be taken at once, by all tasks of all runs of the project */
  readonly capacity?: number
  /** units that may be taken in a time, spaced evenly: `'10/s'`, `'100/h'`, `'30/10m'` */
  readonly rate?: Rate
  /** units that a rate lets through at once after a silence, 1 if absent */
  readonly burst?: number
}

/** Names of limits, one unit of each; or how many of each. */
export type TaskLimits = readonly string[] | Readonly<Record<string, number>>

const units = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 } as const
const namePattern = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63}$/u

/** What starts so close together is one, to a clock that counts in ms and to messages between processes. */
const togetherMs = 10

type Refuse = (option: string, why: string) => never

/** What calls of a task take. @throws what `refuse` throws */
export function limitNeeds(
  task: string,
  limits: TaskLimits | undefined,
  rate: Rate | undefined,
  refuse: Refuse,
): LimitNeeds | undefined {
  if (limits !== undefined && typeof limits !== 'object')
    refuse('limits', `${JSON.stringify(limits)} is no list of names of limits`)
  const named = Array.isArray(limits)
    ? limits.map((name: string) => [name, 1] as const)
    : Object.entries(limits ?? {})
  const needs = new Map<string, LimitNeed>()
  for (const [name, count] of named) {
    if (typeof name !== 'string' || !namePattern.test(name))
      refuse('limits', `${JSON.stringify(name)} is no name of a limit`)
    if (!Number.isFinite(count) || count <= 0)
      refuse('limits', `of ${name} it takes ${count}; it is a number over 0`)
    if (needs.has(name)) refuse('limits', `${name} is named twice`)
    needs.set(name, { name, units: count })
  }
  // no declared limit has such a name
  const own = `task:${task}`
  if (rate !== undefined) needs.set(own, { name: own, units: 1, rate: rateOf(rate, undefined, refuse) })
  if (needs.size === 0) return undefined
  const sorted = [...needs.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return { key: JSON.stringify(sorted.map(({ name, units: count }) => [name, count])), needs: sorted }
}

/** Limits as they are declared, checked. `option` says where. */
export function limitRules(
  of: string,
  limits: Readonly<Record<string, Limit>> | undefined,
): readonly LimitRule[] {
  if (limits === undefined) return []
  return Object.entries(limits).map(([name, limit]) => {
    const refuse: Refuse = (option, why) => {
      throw new AlmanacError('ALM_OPTION_REFUSED', { option: `limits.${name}${option}`, task: of, why })
    }
    if (!namePattern.test(name))
      refuse('', 'a name has letters, digits, "-", "_" and ".", and begins with none of those signs')
    const { capacity, rate, burst, ...rest } = typeof limit === 'number' ? { capacity: limit } : limit
    const [unknown] = Object.keys(rest)
    if (unknown !== undefined) refuse(`.${unknown}`, 'there are capacity, rate and burst')
    if (capacity === undefined && rate === undefined) refuse('', 'it has neither a capacity nor a rate')
    if (capacity !== undefined && !(Number.isFinite(capacity) && capacity > 0))
      refuse('.capacity', `${capacity} is no number over 0`)
    if (burst !== undefined && rate === undefined) refuse('.burst', 'there is no rate')
    return {
      name,
      ...(capacity !== undefined && { capacity }),
      ...(rate !== undefined && { rate: rateOf(rate, burst, refuse) }),
    }
  })
}

function rateOf(text: Rate, burst: number | undefined, refuse: Refuse): LimitRate {
  const match = /^(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)?(ms|s|m|h|d)$/.exec(text)
  const count = Number(match?.[1])
  const perMs = Number(match?.[2] ?? 1) * units[match?.[3] as keyof typeof units]
  if (match === null || !(count > 0) || !(perMs > 0))
    return refuse('.rate', `${JSON.stringify(text)} is no rate; write '10/s', '100/h' or '30/10m'`)
  if (burst !== undefined && !(Number.isFinite(burst) && burst >= 1))
    return refuse('.burst', `${burst} is no number from 1`)
  return { count, perMs, burst: burst ?? Math.max(1, Math.ceil((count * togetherMs) / perMs)) }
}
