import type { Workbench } from '../../workbench.ts'

type Limit = Awaited<ReturnType<Workbench['limits']>>[number]

/** `4`, `10/s`, `4, 10/s`: how much there is. */
export function limitText({ capacity, rate }: Pick<Limit, 'capacity' | 'rate'>): string {
  const parts = capacity === undefined ? [] : [String(capacity)]
  if (rate !== undefined) parts.push(rateText(rate))
  return parts.join(', ')
}

/** A limit of a task's own rate is named by the task. */
export const limitName = (name: string): string =>
  name.startsWith('task:') ? `rate of ${name.slice('task:'.length)}` : name

const spans = [
  ['d', 86400e3],
  ['h', 3600e3],
  ['m', 60e3],
  ['s', 1e3],
] as const

function rateText({ count, perMs }: NonNullable<Limit['rate']>): string {
  for (const [unit, ms] of spans) {
    if (perMs === ms) return `${count}/${unit}`
    if (perMs % ms === 0) return `${count}/${perMs / ms}${unit}`
  }
  return `${count}/${perMs}ms`
}

/** What a run waits for, by the limits that are short: `waiting for limit gpfs (4 of 4 taken)`. */
export async function limitWaits(almanac: Workbench, run: string): Promise<readonly LimitWait[]> {
  const limits = await almanac.limits()
  const names = new Set<string>()
  for (const { users } of limits)
    for (const user of users) if (user.run === run && user.blockedBy !== undefined) names.add(user.blockedBy)
  return limits
    .filter(({ name }) => names.has(name))
    .map(({ name, capacity, held }) => ({ name, capacity, held }))
}

/** A limit that a run waits for. */
export interface LimitWait {
  readonly name: string
  readonly capacity: number | undefined
  readonly held: number
}

export const limitWaitText = ({ name, capacity, held }: LimitWait): string =>
  `waiting for limit ${limitName(name)}${capacity === undefined ? '' : ` (${held} of ${capacity} taken)`}`
