import fs, { appendFileSync, type PathLike, writeSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { relative, resolve } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import type { WorkerOptions } from 'node:worker_threads'

/**
 * Loaded into each thread of an Almanac process before everything else: knows each write that it does to the project,
 * by kind (`COMMIT`, `renameSync store`), and either lists the kinds in the file `ALMANAC_TEST_WRITES`, or kills the
 * process at the one that `ALMANAC_TEST_DIE` tells: `{ kind, n }`, the n-th of this thread. Half of what was to be written is written.
 */
export interface DeathAt {
  readonly kind: string
  readonly n: number
}

const project = process.cwd()
const list = process.env['ALMANAC_TEST_WRITES']
const death =
  process.env['ALMANAC_TEST_DIE'] === undefined
    ? undefined
    : (JSON.parse(process.env['ALMANAC_TEST_DIE']) as DeathAt)
const append = appendFileSync
const write = writeSync
const seen = new Map<string, number>()
const paths = new Map<number, string>()

/** True if the process is to die now, after half of it. */
function comes(kind: string): boolean {
  const n = (seen.get(kind) ?? 0) + 1
  seen.set(kind, n)
  if (list !== undefined && n === 1) append(list, `${kind}\n`)
  return death?.kind === kind && death.n === n
}

function die(): void {
  process.kill(process.pid, 'SIGKILL')
  // the signal may take a moment to reach this thread
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/** The part of the project that a path lies in; undefined: elsewhere. */
function placeOf(path: PathLike): string | undefined {
  const text = path instanceof URL ? path.pathname : String(path)
  const inside = relative(project, resolve(text))
  if (text.startsWith('/dev/shm/')) return 'shm'
  if (inside.startsWith('..')) return undefined
  const [first, second, ...rest] = inside.split('/')
  if (first === 'data') return 'data'
  if (first !== '.almanac' || second === undefined) return undefined
  if (second === 'work' && rest.length > 1) return `work/${rest[1]}`
  return second.startsWith('journal.db') ? 'journal' : second
}

type Write = (...args: unknown[]) => unknown
const functions = fs as unknown as Record<string, Write>

/** `at`: which argument is the path of what is written. */
function watchPaths(names: readonly string[], at: number): void {
  for (const name of names) {
    const original = functions[name] as Write
    functions[name] = (...args) => {
      const place = placeOf(args[at] as PathLike)
      if (place !== undefined && comes(`${name} ${place}`)) {
        // what a process says of itself is left for a minute if it is cut off: its writer may be alive
        if (name.startsWith('writeFile') && place !== 'work')
          append(String(args[at]), String(args[1]).slice(0, String(args[1]).length / 2))
        die()
      }
      return original(...args)
    }
  }
}

function watchHandles(): void {
  const { openSync, closeSync } = fs
  functions['openSync'] = (...args) => {
    const handle = (openSync as unknown as Write)(...args) as number
    if (args[1] !== 'r' && args[1] !== undefined) paths.set(handle, String(args[0]))
    return handle
  }
  functions['closeSync'] = (...args) => {
    paths.delete(args[0] as number)
    return (closeSync as unknown as Write)(...args)
  }
  for (const name of ['writeSync', 'fsyncSync', 'futimesSync', 'fchmodSync', 'ftruncateSync']) {
    const original = functions[name] as Write
    functions[name] = (...args) => {
      const path = paths.get(args[0] as number)
      const place = path === undefined ? undefined : placeOf(path)
      if (place !== undefined && comes(`${name} ${place}`)) {
        const bytes = args[1]
        if (name === 'writeSync' && bytes instanceof Uint8Array)
          write(args[0] as number, bytes.subarray(0, bytes.length >> 1))
        die()
      }
      return original(...args)
    }
  }
}

function watchPromises(): void {
  const promises = fs.promises as unknown as Record<string, Write>
  for (const name of ['appendFile', 'writeFile', 'mkdir', 'rename', 'rm', 'symlink', 'link', 'unlink']) {
    const original = promises[name] as Write
    promises[name] = (...args) => {
      const place = placeOf(args[name === 'rename' || name.endsWith('link') ? 1 : 0] as PathLike)
      if (place !== undefined && comes(`${name} ${place}`)) {
        if (name === 'appendFile')
          append(String(args[0]), String(args[1]).slice(0, String(args[1]).length / 2))
        die()
      }
      return original(...args)
    }
  }
}

/** Statements of the journal, before and after. */
function watchDatabase(): void {
  const around = (kind: string, work: () => unknown): unknown => {
    if (comes(kind)) die()
    const result = work()
    if (comes(`${kind}, done`)) die()
    return result
  }
  const { exec } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function (sql) {
    const verb = sql.startsWith('PRAGMA journal_mode = MEMORY') ? 'claim' : /^\w+/.exec(sql.trim())?.[0]
    around(`sql ${verb}`, () => exec.call(this, sql))
  }
  const { run } = StatementSync.prototype as unknown as { run: Write }
  ;(StatementSync.prototype as unknown as { run: Write }).run = function (this: StatementSync, ...values) {
    const kind = /^\s*(INSERT|UPDATE|DELETE|REPLACE)[^(]*?(?:INTO|FROM|UPDATE)?\s+([a-z_]+)/.exec(
      this.sourceSQL,
    )
    const work = (): unknown => run.apply(this, values)
    return kind === null ? work() : around(`sql ${kind[1]} ${kind[2]}`, work)
  }
}

/** Threads are started without what the process was given, so they are given this. */
function watchThreads(): void {
  const threads = createRequire(import.meta.url)('node:worker_threads') as {
    Worker: new (file: URL, options: WorkerOptions) => object
  }
  const { Worker } = threads
  threads.Worker = class extends Worker {
    constructor(file: URL, options: WorkerOptions = {}) {
      super(file, { ...options, execArgv: [...(options.execArgv ?? []), '--import', import.meta.url] })
    }
  }
}

watchPaths(
  [
    'writeFileSync',
    'appendFileSync',
    'mkdirSync',
    'rmSync',
    'rmdirSync',
    'unlinkSync',
    'chmodSync',
    'utimesSync',
    'truncateSync',
  ],
  0,
)
watchPaths(['renameSync', 'linkSync', 'symlinkSync', 'copyFileSync'], 1)
watchHandles()
watchPromises()
watchDatabase()
watchThreads()
syncBuiltinESMExports()
