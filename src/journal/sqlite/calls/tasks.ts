import { isShown } from '../../../model/call-kinds.ts'
import type { RunId } from '../../../model/records.ts'
import type { CallState } from '../../../model/states.ts'
import { callReasons } from '../../../model/states.ts'
import type { TaskSummary } from '../../../ports/journal.ts'
import type { TaskCounters } from '../../counters.ts'
import { TaskSources } from '../../task-sources.ts'
import type { Database } from '../database/database.ts'
import { callOf, rowId, rowRange } from '../database/rows.ts'
import { CallIndex } from './call-index.ts'
import type { Names } from './names.ts'

/** What a run did by task: one row for each name of a call, kept with the calls. */

const states = Object.keys(callReasons) as CallState[]
const columns = [...states, 'executed', 'reused', 'cost'] as const

/** What a transaction adds to the figures of one task: a number for each column. */
export type TaskChange = Float64Array

const at = Object.fromEntries(columns.map((column, i) => [column, i])) as Record<
  (typeof columns)[number],
  number
>

/** `by` is 1 for what comes and -1 for what is taken back. */
export function addToTask(
  tasks: Map<number, TaskChange>,
  name: number,
  counters: TaskCounters,
  by: number,
): void {
  let change = tasks.get(name)
  if (change === undefined) {
    change = new Float64Array(columns.length)
    tasks.set(name, change)
  }
  add(change, at[counters.state], counters.calls * by)
  add(change, at.executed, counters.executed * by)
  add(change, at.reused, counters.reused * by)
  add(change, at.cost, counters.costMs * by)
}

function add(change: TaskChange, column: number, by: number): void {
  change[column] = (change[column] as number) + by
}

export const changeTaskSql = `INSERT INTO tasks (run, name, ${columns.join(', ')})
  VALUES (?, ?, ${columns.map(() => '?').join(', ')})
  ON CONFLICT (run, name) DO UPDATE SET ${columns.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`

export function changeTasks(db: Database, n: number, tasks: ReadonlyMap<number, TaskChange>): void {
  for (const [name, change] of tasks) db.run(changeTaskSql, n, name, ...change)
}

/** Its calls take results of another task. */
export function addTaskInput(db: Database, n: number, name: number, input: number): void {
  db.run('INSERT OR IGNORE INTO task_inputs (run, name, input) VALUES (?, ?, ?)', n, name, input)
}

/** Arguments of a call that was made before, and that is in no block. */
export const argsOf = (db: Database, id: number): string | undefined =>
  db.get<{ args: string }>('SELECT args FROM calls WHERE id = ?', id)?.args

type TaskRow = Readonly<Record<(typeof columns)[number] | 'name', number>>

/** By name: a map and its entries are one. */
export function listTasks(db: Database, names: Names, run: RunId): TaskSummary[] {
  const row = db.get<{ n: number; linked: number }>('SELECT n, linked FROM runs WHERE id = ?', run)
  if (row === undefined) return []
  const { n } = row
  const rows = db.all<TaskRow>(`SELECT name, ${columns.join(', ')} FROM tasks WHERE run = ? ORDER BY seq`, n)
  const inputs = row.linked === 1 ? keptInputs(db, n) : linked(db, names, n)
  const tasks = new Map<string, TaskSummary>()
  for (const figures of rows) {
    const { name } = names.at(figures.name)
    tasks.set(name, sum(tasks.get(name), summary(figures, names)))
  }
  const taken = new Map<string, Set<string>>()
  for (const { name, input } of inputs) {
    const of = names.at(name).name
    taken.set(of, (taken.get(of) ?? new Set()).add(names.at(input).name))
  }
  const order = [...tasks.keys()]
  return [...tasks.values()].map((task) => ({
    ...task,
    inputs: order.filter((name) => name !== task.name && taken.get(task.name)?.has(name) === true),
  }))
}

function summary(row: TaskRow, names: Names): TaskSummary {
  const { name, kind } = names.at(row.name)
  const counted = states.filter((state) => row[state] !== 0)
  return {
    name,
    kind,
    calls: counted.reduce((calls, state) => calls + row[state], 0),
    counts: Object.fromEntries(counted.map((state) => [state, row[state]])),
    executed: row.executed,
    reused: row.reused,
    costMs: row.cost,
    inputs: [],
  }
}

function sum(one: TaskSummary | undefined, other: TaskSummary): TaskSummary {
  if (one === undefined) return other
  const counted = states.filter((state) => (one.counts[state] ?? 0) + (other.counts[state] ?? 0) !== 0)
  return {
    ...one,
    calls: one.calls + other.calls,
    counts: Object.fromEntries(
      counted.map((state) => [state, (one.counts[state] ?? 0) + (other.counts[state] ?? 0)]),
    ),
    executed: one.executed + other.executed,
    reused: one.reused + other.reused,
    costMs: one.costMs + other.costMs,
  }
}

interface TaskInput {
  readonly name: number
  readonly input: number
}

const keptInputs = (db: Database, n: number): TaskInput[] =>
  db.all<TaskInput>('SELECT name, input FROM task_inputs WHERE run = ?', n)

/** Before calls go into blocks. */
export function linkTasks(db: Database, names: Names, run: RunId): void {
  const row = db.get<{ n: number; linked: number }>('SELECT n, linked FROM runs WHERE id = ?', run)
  if (row !== undefined && row.linked === 0) linked(db, names, row.n)
}

/**
 * Of a run that was made before inputs were kept: all of its calls are looked at, once. Who adds a call meanwhile keeps
 * its inputs.
 */
function linked(db: Database, names: Names, n: number): TaskInput[] {
  const found = foundInputs(db, names, n)
  if (db.isReadOnly) return found
  return db.transaction(() => {
    for (const { name, input } of found) addTaskInput(db, n, name, input)
    db.run('UPDATE runs SET linked = 1 WHERE n = ?', n)
    return keptInputs(db, n)
  })
}

function foundInputs(db: Database, names: Names, n: number): TaskInput[] {
  const index = new CallIndex()
  const find = (call: number) => {
    const known = index.get(call)
    return known && { name: known.name, kind: names.at(known.name).kind }
  }
  const sources = new TaskSources<number>(find, (call) => argsOf(db, rowId(n, call)) ?? '')
  const found = new Map<string, TaskInput>()
  const sql = 'SELECT id, name, args FROM calls WHERE id BETWEEN ? AND ? ORDER BY id'
  const rows = db.prepare(sql).iterate(...rowRange(n)) as unknown as Iterable<{
    readonly id: number
    readonly name: number
    readonly args: string
  }>
  for (const { id, name, args } of rows) {
    index.set(callOf(id), { name, ended: false, asked: false })
    const { kind } = names.at(name)
    const taken = sources.add(callOf(id), kind, args)
    if (isShown(kind)) for (const input of taken) found.set(`${name} ${input}`, { name, input })
  }
  return [...found.values()]
}
