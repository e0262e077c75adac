import { DatabaseSync } from 'node:sqlite'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const rowsAtOnce = 1000
const batchesAtOnce = 8

interface Batch {
  readonly ids: Int32Array
  /** a line each */
  readonly keys: string
  readonly args: string
  readonly values: string
}

/** Rows of calls in SQLite, each batch synced by a thread of its own; so many batches wait for that at most. */
export class BareJournal {
  readonly #thread: Worker
  #ids: number[] = []
  #keys: string[] = []
  #args: string[] = []
  #values: string[] = []
  #open = 0
  #waiting: { readonly most: number; readonly then: () => void }[] = []

  constructor(path: string) {
    this.#thread = new Worker(new URL(import.meta.url), { workerData: path })
    this.#thread.on('message', () => {
      this.#open--
      const goes = this.#waiting.filter(({ most }) => this.#open <= most)
      this.#waiting = this.#waiting.filter(({ most }) => this.#open > most)
      for (const { then } of goes) then()
    })
  }

  /** Is it to be waited for? */
  add(id: number, key: string, args: string, value: string): boolean {
    this.#ids.push(id)
    this.#keys.push(key)
    this.#args.push(args)
    this.#values.push(value)
    if (this.#ids.length === rowsAtOnce) this.#send()
    return this.#open >= batchesAtOnce
  }

  room(): Promise<void> {
    return this.#until(batchesAtOnce - 1)
  }

  synced(): Promise<void> {
    if (this.#ids.length > 0) this.#send()
    return this.#until(0)
  }

  async close(): Promise<void> {
    await this.#thread.terminate()
  }

  async #until(most: number): Promise<void> {
    if (this.#open <= most) return
    await new Promise<void>((then) => {
      this.#waiting.push({ most, then })
    })
  }

  #send(): void {
    const batch: Batch = {
      ids: Int32Array.from(this.#ids),
      keys: this.#keys.join('\n'),
      args: this.#args.join('\n'),
      values: this.#values.join('\n'),
    }
    this.#open++
    this.#thread.postMessage(batch)
    this.#ids = []
    this.#keys = []
    this.#args = []
    this.#values = []
  }
}

function write(path: string): void {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('CREATE TABLE calls (id INTEGER, key BLOB, args TEXT, value TEXT, at INTEGER, ended INTEGER)')
  const insert = db.prepare('INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?)')
  parentPort?.on('message', ({ ids, ...texts }: Batch) => {
    const [keys, args, values] = [texts.keys, texts.args, texts.values].map((text) => text.split('\n'))
    const now = Date.now()
    db.exec('BEGIN')
    for (const [at, id] of ids.entries())
      insert.run(id, Buffer.from(keys?.[at] ?? '', 'hex'), args?.[at] ?? '', values?.[at] ?? '', now, now)
    db.exec('COMMIT')
    parentPort?.postMessage(0)
  })
}

if (!isMainThread && parentPort !== null) write(workerData as string)
