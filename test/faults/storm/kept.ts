import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteJournal } from '../../../src/journal/sqlite/open.ts'
import { decode } from '../../../src/model/codec.ts'

/** What a journal holds of its one run. */
export interface Kept {
  readonly run: string | undefined
  /** labels of calls that succeeded */
  readonly committed: ReadonlySet<string>
}

/** Reads a copy, so that recovering the journal is left to the product. Nobody must be writing. */
export async function keptIn(folder: string): Promise<Kept> {
  const none = { run: undefined, committed: new Set<string>() }
  if (!existsSync(join(folder, '.almanac', 'journal.db'))) return none
  const copy = join(folder, 'copy')
  mkdirSync(copy)
  for (const name of ['journal.db', 'journal.db-wal']) {
    const path = join(folder, '.almanac', name)
    if (existsSync(path)) copyFileSync(path, join(copy, name))
  }
  const { records, close } = await openSqliteJournal(copy)
  try {
    const [record] = await records.runs({ limit: 2 })
    if (record === undefined) return none
    const committed = new Set<string>()
    for (let after = -1; ; ) {
      const page = await records.calls(record.id, { after, limit: 1000 })
      for (const { call, name, call_kind, argsWire, outcome } of page) {
        after = call
        const label = labelOf(name, call_kind, argsWire)
        if (label === undefined) continue
        if (outcome?.state === 'succeeded') committed.add(label)
      }
      if (page.length === 0) return { run: record.id, committed }
    }
  } finally {
    await close()
    rmSync(copy, { recursive: true })
  }
}

/** What a call's task says of itself in the log. */
function labelOf(name: string, kind: string, argsWire: string): string | undefined {
  if (kind !== 'task' && kind !== 'entry') return undefined
  const args = decode(argsWire) as { readonly label?: string; readonly args?: readonly unknown[] }
  const first = args.label ?? args.args?.[0]
  if (kind === 'entry') return `${name} ${(first as { readonly name: string }).name}`
  return typeof first === 'number' ? `${name} ${first}` : String(first)
}
