import type { LimitNeed, LimitRate, LimitRule } from '../model/limits.ts'
import {
  absentMs,
  type LimitAnswer,
  type LimitAsk,
  type LimitState,
  type LimitUser,
} from '../ports/limits.ts'

/** What a run holds and waits for, with the same needs. */
export interface LimitRow {
  readonly run: string
  readonly key: string
  readonly needs: readonly LimitNeed[]
  held: number
  wanted: number
  /** place in line */
  turn: number
  /** admissions of others, behind it in line, that took of what it needs while it waited */
  passed: number
  /** when it last asked, and since when it waits */
  seenAt: number
  since: number
  blockedBy: string | undefined
}

/** A limit as it is kept: what was declared, and when its bucket was, or will be, empty. */
export interface LimitMeter {
  rule: LimitRule
  emptyAt: number
}

/** All that an answer depends on. */
export interface LimitTable {
  /** of living processes, the one who asks among them */
  readonly rows: readonly LimitRow[]
  readonly meters: ReadonlyMap<string, LimitMeter>
  nextTurn: number
}

/** Who needs several limits and was passed so often keeps places in all of them, not only where there is none. */
const mostPassed = 16

/**
 * Answers one run, and changes its row and what is metered. Others get theirs when they ask again: `wakes` says that
 * they should.
 */
export function admit(
  table: LimitTable,
  own: LimitRow,
  ask: LimitAsk,
): { readonly answer: LimitAnswer; readonly wakes: boolean } {
  const { now } = ask
  giveBack(table, own, ask)
  const others = table.rows.filter((row) => row !== own && row.wanted > 0)
  const rivals = others.filter((row) => sharesWith(row, own))
  const present = rivals.filter((row) => now - row.seenAt < absentMs)
  const wasWaiting = own.wanted > 0
  if (!wasWaiting || own.turn === 0) own.turn = table.nextTurn++
  let granted = 0
  let short: Shortage | undefined
  while (granted < ask.wanted) {
    short = shortage(table, own, present, now)
    if (short !== undefined) break
    take(table, own, present, now)
    granted++
  }
  own.seenAt = now
  own.wanted = ask.wanted - granted
  if (own.wanted > 0 && (!wasWaiting || granted > 0)) own.since = now
  own.blockedBy = own.wanted > 0 ? short?.name : undefined
  const isMetered = own.needs.some((need) => rateOf(table, need) !== undefined)
  const answer: LimitAnswer = {
    granted,
    isShared: isMetered || rivals.length > 0,
    ...(short !== undefined && { blockedBy: short.name }),
    ...(short?.retryAt !== undefined && { retryAt: short.retryAt }),
  }
  const hasLeft = wasWaiting && own.wanted === 0 && granted === 0
  const isFreed = ask.back + ask.unused > 0 || hasLeft
  const isNew = own.wanted > 0 && !wasWaiting
  return { answer, wakes: (isFreed && rivals.length > 0) || (isNew && isHeldByOthers(table, own)) }
}

interface Shortage {
  readonly name: string
  readonly retryAt?: number
}

function giveBack(table: LimitTable, own: LimitRow, { back, unused }: LimitAsk): void {
  own.held = Math.max(0, own.held - back - unused)
  if (unused === 0) return
  for (const need of own.needs) {
    const rate = rateOf(table, need)
    const meter = table.meters.get(need.name)
    if (rate !== undefined && meter !== undefined) meter.emptyAt -= unused * need.units * spacing(rate)
  }
}

/** What keeps the row from being admitted now, once those before it in line have what they wait for. */
function shortage(
  table: LimitTable,
  own: LimitRow,
  present: readonly LimitRow[],
  now: number,
): Shortage | undefined {
  const left = new Map<string, number>()
  const leftOf = (need: LimitNeed): number => left.get(need.name) ?? free(table, need, now)
  const reserve = (need: LimitNeed): unknown => left.set(need.name, leftOf(need) - need.units)
  const before = present.filter((row) => row.turn < own.turn).toSorted((a, b) => a.turn - b.turn)
  for (const row of before) {
    const lacking = row.needs.filter((need) => leftOf(need) < need.units - epsilon)
    const all = lacking.length === 0 || row.passed >= mostPassed
    for (const need of all ? row.needs : lacking) reserve(need)
  }
  for (const need of own.needs) {
    const missing = need.units - leftOf(need)
    if (missing <= epsilon) continue
    const rate = rateOf(table, need)
    const isFull = freeUnits(table, need) < need.units
    return {
      name: need.name,
      ...(rate !== undefined && !isFull && { retryAt: Math.ceil(now + missing * spacing(rate)) }),
    }
  }
  return undefined
}

function take(table: LimitTable, own: LimitRow, present: readonly LimitRow[], now: number): void {
  for (const row of present) if (row.turn < own.turn && sharesWith(row, own)) row.passed++
  own.held++
  own.passed = 0
  own.turn = table.nextTurn++
  for (const need of own.needs) {
    const rate = rateOf(table, need)
    const meter = table.meters.get(need.name)
    if (rate === undefined || meter === undefined) continue
    const full = now - Math.max(rate.burst, need.units) * spacing(rate)
    meter.emptyAt = Math.max(Math.min(meter.emptyAt, now), full) + need.units * spacing(rate)
  }
}

/** Units of a limit that could be taken now. */
function free(table: LimitTable, need: LimitNeed, now: number): number {
  const rate = rateOf(table, need)
  const units = freeUnits(table, need)
  if (rate === undefined) return units
  // a clock that was set back must not close it for as long
  const emptyAt = Math.min(now, table.meters.get(need.name)?.emptyAt ?? longAgo)
  return Math.min(units, Math.max(rate.burst, need.units), (now - emptyAt) / spacing(rate))
}

function freeUnits(table: LimitTable, { name }: LimitNeed): number {
  const capacity = table.meters.get(name)?.rule.capacity ?? Infinity
  return capacity - heldUnits(table.rows, name)
}

function heldUnits(rows: readonly LimitRow[], name: string): number {
  let units = 0
  for (const row of rows) units += row.held * unitsOf(row, name)
  return units
}

const unitsOf = (row: LimitRow, name: string): number =>
  row.needs.find((need) => need.name === name)?.units ?? 0

const rateOf = (table: LimitTable, { name, rate }: LimitNeed): LimitRate | undefined =>
  rate ?? table.meters.get(name)?.rule.rate

/** ms for one unit */
const spacing = ({ count, perMs }: LimitRate): number => perMs / count

const longAgo = -1e15

/** Times are whole ms, shares of units are not. */
const epsilon = 1e-6

const sharesWith = (a: LimitRow, b: LimitRow): boolean => a.needs.some(({ name }) => unitsOf(b, name) > 0)

const isHeldByOthers = (table: LimitTable, own: LimitRow): boolean =>
  table.rows.some((row) => row !== own && row.held > 0 && sharesWith(row, own))

/** A row of who asks for the first time. */
export const newRow = ({ run, key, needs, now }: LimitAsk): LimitRow => ({
  run,
  key,
  needs,
  held: 0,
  wanted: 0,
  turn: 0,
  passed: 0,
  seenAt: now,
  since: now,
  blockedBy: undefined,
})

/** What is known of a limit now. A bucket that is new is full. */
export function meterOf(rule: LimitRule, known: LimitMeter | undefined): LimitMeter {
  return { rule, emptyAt: known?.emptyAt ?? longAgo }
}

/** Limits as people see them. */
export function limitStates(rows: readonly LimitRow[], meters: readonly LimitMeter[]): LimitState[] {
  return meters.map(({ rule }) => ({
    ...rule,
    held: heldUnits(rows, rule.name),
    users: rows
      .filter((row) => unitsOf(row, rule.name) > 0 && row.held + row.wanted > 0)
      .toSorted((a, b) => (a.run < b.run ? -1 : a.run > b.run ? 1 : 0))
      .map(
        (row): LimitUser => ({
          run: row.run,
          units: unitsOf(row, rule.name),
          held: row.held,
          waiting: row.wanted,
          ...(row.blockedBy !== undefined && { blockedBy: row.blockedBy }),
          ...(row.wanted > 0 && { since: row.since }),
        }),
      ),
  }))
}
