import type { RunId } from '../../model/records.ts'
import type { ObjectInfo, Objects } from '../../ports/objects.ts'
import { journalName } from '../journal-name.ts'
import { writeDocument } from './documents.ts'
import { logFolder, resultFolder, runFolder, runKey } from './layout.ts'

/**
 * Says in a shared store of which journal a run is: `runs/<journal>/<run>.json`. Owns those of this journal's runs.
 *
 * Z1 a run is marked before anything else of it is sent, so that a collection finds what a removed run has left.
 * Z2 a mark goes when nothing of its run was found for longer than anything takes that is still on its way.
 */
export class RunMarks {
  readonly #objects: Objects
  readonly #home: string
  readonly #marked = new Map<RunId, Promise<unknown>>()

  constructor(objects: Objects, home: string) {
    this.#objects = objects
    this.#home = home
  }

  /** It is there when this resolves; once in the life of a process. */
  async mark(run: RunId): Promise<void> {
    const marking = this.#marked.get(run) ?? this.#write(run)
    this.#marked.set(run, marking)
    try {
      await marking
    } catch (error) {
      this.#marked.delete(run)
      throw error
    }
  }

  async #write(run: RunId): Promise<unknown> {
    const journal = journalName(this.#home)
    return await writeDocument(this.#objects, runKey(journal, run), { run, journal })
  }
}

/** The journal that collects, and which of some runs it has. */
export interface OwnRuns {
  readonly journal: string
  readonly has: (run: RunId) => Promise<boolean>
}

/** A run that is no more, by its mark. */
export interface GoneRun extends ObjectInfo {
  readonly run: RunId
}

/**
 * Runs that were removed from this journal; with `goneMs` also those of journals that have stored nothing for so
 * long. A run that was removed never comes back.
 */
export async function goneRuns(
  objects: Objects,
  own: OwnRuns | undefined,
  { now, goneMs }: { readonly now: number; readonly goneMs?: number },
): Promise<GoneRun[]> {
  const gone: GoneRun[] = []
  const others = new Map<string, { newest: number; readonly runs: GoneRun[] }>()
  for await (const info of objects.list(runFolder)) {
    const [, journal, run] = /^runs\/([^/]+)\/([^/]+)\.json$/.exec(info.key) ?? []
    if (journal === undefined || run === undefined) continue
    if (journal === own?.journal) {
      if (!(await own.has(run))) gone.push({ ...info, run })
      continue
    }
    const other = others.get(journal) ?? { newest: 0, runs: [] }
    others.set(journal, other)
    other.newest = Math.max(other.newest, info.changedAt)
    if (goneMs !== undefined) other.runs.push({ ...info, run })
  }
  if (goneMs !== undefined)
    for (const { newest, runs } of others.values())
      if (newest < now - goneMs) for (const run of runs) gone.push(run)
  return gone
}

/** All that a store has of a run. */
export async function keysOfRun(objects: Objects, run: RunId): Promise<string[]> {
  const keys: string[] = []
  for (const folder of [logFolder, resultFolder])
    for await (const { key } of objects.list(`${folder}${run}/`)) keys.push(key)
  return keys
}

/** Removes what runs that are no more have left; says how many objects. */
export async function sweepRuns(
  objects: Objects,
  gone: readonly GoneRun[],
  { now, graceMs, dryRun }: { readonly now: number; readonly graceMs: number; readonly dryRun: boolean },
): Promise<number> {
  let removed = 0
  for (const { key, run, changedAt } of gone) {
    const keys = await keysOfRun(objects, run)
    removed += keys.length
    if (dryRun) continue
    if (keys.length > 0) {
      // dated anew first: more of it may be on its way (Z2)
      await writeDocument(objects, key, { run })
      await objects.remove(keys)
    } else if (changedAt < now - graceMs) await objects.remove([key])
  }
  return removed
}
