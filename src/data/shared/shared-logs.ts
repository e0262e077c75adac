import { existsSync, statSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import type { RememberedCall, RunId } from '../../model/records.ts'
import type { LogLine } from '../../ports/executor.ts'
import type { LoggedCall, LogPosition, LogStore, PrintedCall } from '../../ports/logs.ts'
import type { Objects } from '../../ports/objects.ts'
import { hashInput } from '../files/read-file.ts'
import type { LogFiles } from '../log-files.ts'
import { logFolder } from './layout.ts'
import { keysOfRun, type RunMarks } from './run-marks.ts'

export interface SharedLogsOptions {
  readonly objects: Objects
  readonly marks: RunMarks
  /** nothing is written, nor removed */
  readonly readOnly: boolean
  /** runs work that is waited for before the process ends, and says what goes wrong */
  readonly inBackground: (work: () => Promise<void>) => void
}

/**
 * Logs of this machine, sent to a shared store when an attempt has ended, and those of others, fetched when they are
 * read: `logs/<run>/<call>.<attempt>.<name>.jsonl`. The name says of which task it is, as the journal of the run is
 * elsewhere.
 */
export class SharedLogs implements LogStore {
  readonly #own: LogFiles
  readonly #options: SharedLogsOptions
  /** attempts that printed something and have not ended: their tasks */
  readonly #open = new Set<string>()
  /** tasks of calls that have not ended, by run and call */
  readonly #names = new Map<RunId, Map<number, string>>()
  /** calls that earlier lives of runs made, by number: nobody tells of them again */
  readonly #made = new Map<RunId, readonly RememberedCall[]>()
  /** attempts whose logs were fetched, by run and call */
  readonly #fetched = new Map<string, readonly number[]>()

  constructor(own: LogFiles, options: SharedLogsOptions) {
    this.#own = own
    this.#options = options
  }

  write(run: RunId, call: number, attempt: number, lines: readonly LogLine[]): void {
    if (lines.length > 0) this.#open.add(`${run}/${call}.${attempt}`)
    this.#own.write(run, call, attempt, lines)
  }

  async read(
    run: RunId,
    call: number,
    from: LogPosition | undefined,
    limit: number,
    attempts?: readonly number[],
  ) {
    if (existsSync(this.#own.folderOf(run))) return await this.#own.read(run, call, from, limit, attempts)
    const name = `${run}/${call}`
    const there = this.#fetched.get(name) ?? (await this.#fetch(run, call))
    this.#fetched.set(name, there)
    return await this.#own.read(elsewhere(run), call, from, limit, attempts ?? there)
  }

  printed(run: RunId): Promise<readonly PrintedCall[]> {
    return this.#own.printed(run)
  }

  /** Calls of a run that printed something, here or on another machine. */
  async calls(run: RunId): Promise<readonly LoggedCall[]> {
    const calls = new Map<number, string>()
    for await (const { key } of this.#options.objects.list(`${logFolder}${run}/`)) {
      const { call, name } = parsed(key) ?? {}
      if (call === undefined || name === undefined) continue
      // one attempt may have been sent without it
      if (name !== '' || !calls.has(call)) calls.set(call, name)
    }
    return [...calls].map(([call, name]) => ({ call, name })).sort((a, b) => a.call - b.call)
  }

  async remove(run: RunId): Promise<void> {
    await this.#own.remove(run)
    await this.#own.remove(elsewhere(run))
    if (this.#options.readOnly) return
    const keys = await keysOfRun(this.#options.objects, run)
    if (keys.length > 0) await this.#options.objects.remove(keys)
  }

  flush(): Promise<void> {
    return this.#own.flush()
  }

  /** The call is one of that task. */
  name(run: RunId, call: number, name: string): void {
    const names = this.#names.get(run) ?? new Map<number, string>()
    this.#names.set(run, names.set(call, name))
  }

  /** This process executes a run from now on. */
  taken(run: RunId): void {
    this.#names.set(run, new Map())
  }

  /** Calls of a run that were made before, in order of their numbers: of one that is only looked at nothing is kept. */
  loaded(run: RunId, calls: readonly RememberedCall[]): void {
    if (this.#names.has(run)) this.#made.set(run, calls)
  }

  /** This process no longer executes it. */
  left(run: RunId): void {
    this.#names.delete(run)
    this.#made.delete(run)
  }

  /** An attempt prints no more. `isLast`: the call has ended. */
  ended(run: RunId, call: number, attempt: number, isLast: boolean): void {
    const name = this.#names.get(run)?.get(call) ?? nameIn(this.#made.get(run) ?? [], call)
    if (isLast) this.#names.get(run)?.delete(call)
    if (!this.#open.delete(`${run}/${call}.${attempt}`)) return
    this.#options.inBackground(async () => {
      await this.#own.flush()
      const path = this.#own.pathOf(run, call, attempt)
      if (!existsSync(path)) return
      await this.#options.marks.mark(run)
      const key = `${logFolder}${run}/${call}.${attempt}.${encodeURIComponent(name)}.jsonl`
      await this.#options.objects.putFile(key, path, hashInput(path).digest)
    })
  }

  /** Brings the logs of a call here that are not here as they are there; gives their attempts. */
  async #fetch(run: RunId, call: number): Promise<readonly number[]> {
    const { objects } = this.#options
    const attempts: number[] = []
    for await (const { key, size } of objects.list(`${logFolder}${run}/${call}.`)) {
      const attempt = parsed(key)?.attempt
      if (attempt === undefined) continue
      attempts.push(attempt)
      const path = this.#own.pathOf(elsewhere(run), call, attempt)
      if (statSync(path, { throwIfNoEntry: false })?.size === size) continue
      const temporary = `${path}.${crypto.randomUUID()}.tmp`
      await mkdir(this.#own.folderOf(elsewhere(run)), { recursive: true })
      try {
        await fetchTo(objects, key, temporary)
        await rename(temporary, path)
      } finally {
        await rm(temporary, { force: true })
      }
    }
    return attempts.sort((a, b) => a - b)
  }
}

/** Where logs of other machines' runs lie, as if they were of this run: no id of one begins so. */
const elsewhere = (run: RunId): RunId => `~elsewhere/${run}`

/** Piece by piece: logs are as large as what was printed. */
async function fetchTo(objects: Objects, key: string, path: string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await objects.read(key, (piece) => file.writeFile(piece))
  } finally {
    await file.close()
  }
}

/** The task of a call among calls in order of their numbers. */
function nameIn(calls: readonly RememberedCall[], call: number): string {
  let [first, end] = [0, calls.length]
  while (first < end) {
    const middle = (first + end) >> 1
    if ((calls[middle] as RememberedCall).call < call) first = middle + 1
    else end = middle
  }
  const found = calls[first]
  return found?.call === call ? found.name : ''
}

function parsed(
  key: string,
): { readonly call: number; readonly attempt: number; readonly name: string } | undefined {
  const [, call, attempt, name] = /^(\d+)\.(\d+)\.([^/]*)\.jsonl$/.exec(basename(key)) ?? []
  if (call === undefined || attempt === undefined || name === undefined) return undefined
  try {
    return { call: Number(call), attempt: Number(attempt), name: decodeURIComponent(name) }
  } catch {
    // not ours
    return undefined
  }
}
