import type { LimitNeed, LimitRule } from '../../../model/limits.ts'
import type { RunId } from '../../../model/records.ts'
import { absentMs, type LimitAnswer, type LimitAsk, type LimitState } from '../../../ports/limits.ts'
import { admit, type LimitMeter, type LimitRow, limitStates, meterOf, newRow } from '../../limit-rules.ts'
import type { Database } from '../database/database.ts'
import type { Holder } from '../database/holder.ts'

type HeldRow = LimitRow & { readonly holder: string }

/** Answers, and whether others should ask again. */
export interface LimitAnswers {
  readonly answers: readonly LimitAnswer[]
  readonly wakes: boolean
}

/**
 * What runs hold and wait for of limits: rows of `admissions`, that hold as long as their holder lives. They are few:
 * one for each run that is under way and each kind of needs in it.
 */
export class LimitTables {
  readonly #db: Database
  readonly #holder: Holder

  constructor(db: Database, holder: Holder) {
    this.#db = db
    this.#holder = holder
  }

  ask(asks: readonly LimitAsk[]): LimitAnswers {
    return this.#db.quickTransaction(() => {
      this.#holder.begin()
      const answers = asks.map((ask) => this.#answer(ask))
      return { answers: answers.map(({ answer }) => answer), wakes: answers.some(({ wakes }) => wakes) }
    })
  }

  /** Should others ask again? */
  leave(run: RunId): boolean {
    return this.#db.quickTransaction(() => {
      const { name } = this.#holder
      const mine = this.#db.all('SELECT key FROM admissions WHERE holder = ? AND run = ?', name, run)
      if (mine.length === 0) return false
      this.#db.run('DELETE FROM admissions WHERE holder = ? AND run = ?', name, run)
      return this.#db.get('SELECT 1 FROM admissions LIMIT 1') !== undefined
    })
  }

  list(): LimitState[] {
    let rows = this.#rows()
    if (rows.length > 0 && !this.#db.isReadOnly) rows = this.#db.quickTransaction(() => this.#living(rows))
    return limitStates(rows, this.#meters())
  }

  #answer(ask: LimitAsk): ReturnType<typeof admit> {
    let rows = this.#rows()
    let result = this.#admit(rows, ask)
    const { answer } = result.given
    // only who has to wait, or is told that others do, needs to know whether those are alive
    if (
      answer.granted < ask.wanted ||
      rows.some((row) => row.wanted > 0 && ask.now - row.seenAt > absentMs)
    ) {
      const living = this.#living(rows)
      if (living.length < rows.length) {
        rows = living
        result = this.#admit(rows, ask)
      }
    }
    this.#write(result.own)
    for (const row of result.changed) this.#write(row)
    for (const { rule, emptyAt } of result.meters)
      this.#db.run(
        'INSERT OR REPLACE INTO limits (name, rule, empty_at) VALUES (?, ?, ?)',
        rule.name,
        JSON.stringify(rule),
        emptyAt,
      )
    return result.given
  }

  /** Works on copies: nothing is written yet. */
  #admit(rows: readonly HeldRow[], ask: LimitAsk) {
    const copies = rows.map((row) => ({ ...row }))
    const { name } = this.#holder
    let own = copies.find(({ holder, run, key }) => holder === name && run === ask.run && key === ask.key)
    if (own === undefined) {
      own = { ...newRow(ask), holder: name }
      copies.push(own)
    }
    const known = new Map(this.#meters().map((meter) => [meter.rule.name, meter]))
    const meters = new Map([...known].map(([limit, meter]) => [limit, { ...meter }]))
    for (const rule of ask.rules) meters.set(rule.name, meterOf(rule, known.get(rule.name)))
    const nextTurn = copies.reduce((most, { turn }) => Math.max(most, turn), 0) + 1
    const given = admit({ rows: copies, meters, nextTurn }, own, ask)
    const changed = copies.filter((row, i) => row !== own && row.passed !== rows[i]?.passed)
    const changedMeters = [...meters.values()].filter((meter) => isChanged(meter, known.get(meter.rule.name)))
    return { given, own, changed, meters: changedMeters }
  }

  #write(row: HeldRow): void {
    if (row.held + row.wanted === 0) {
      this.#db.run(
        'DELETE FROM admissions WHERE holder = ? AND run = ? AND key = ?',
        row.holder,
        row.run,
        row.key,
      )
      return
    }
    this.#db.run(
      `INSERT OR REPLACE INTO admissions
        (holder, run, key, needs, held, wanted, turn, passed, seen_at, since, blocked_by)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.holder,
      row.run,
      row.key,
      JSON.stringify(row.needs),
      row.held,
      row.wanted,
      row.turn,
      row.passed,
      row.seenAt,
      row.since,
      row.blockedBy ?? null,
    )
  }

  /** Those whose process lives; the others are removed. */
  #living(rows: readonly HeldRow[]): HeldRow[] {
    const holders = new Set(rows.map(({ holder }) => holder))
    const gone = new Set([...holders].filter((holder) => !this.#holder.isAlive(holder)))
    return rows.filter(({ holder }) => !gone.has(holder))
  }

  #rows(): HeldRow[] {
    return this.#db
      .all<
        Omit<HeldRow, 'needs' | 'blockedBy'> & { readonly needs: string; readonly blockedBy: string | null }
      >(
        `SELECT holder, run, key, needs, held, wanted, turn, passed, seen_at AS seenAt, since,
          blocked_by AS blockedBy FROM admissions`,
      )
      .map((row) => ({
        ...row,
        needs: JSON.parse(row.needs) as LimitNeed[],
        blockedBy: row.blockedBy ?? undefined,
      }))
  }

  #meters(): LimitMeter[] {
    return this.#db
      .all<{ readonly rule: string; readonly emptyAt: number }>(
        'SELECT rule, empty_at AS emptyAt FROM limits ORDER BY name',
      )
      .map(({ rule, emptyAt }) => ({ rule: JSON.parse(rule) as LimitRule, emptyAt }))
  }
}

const isChanged = (meter: LimitMeter, known: LimitMeter | undefined): boolean =>
  meter.emptyAt !== known?.emptyAt || JSON.stringify(meter.rule) !== JSON.stringify(known.rule)
