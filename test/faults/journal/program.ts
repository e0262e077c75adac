import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteJournal } from '../../../src/journal/sqlite/open.ts'
import { Session } from '../../../src/journal/sqlite/session.ts'
import { isAlmanacError } from '../../../src/model/errors.ts'
import type { JournalRecord } from '../../../src/model/records.ts'
import { aCall, anOutcome } from '../../../src/testing/journal-records.ts'
import { callsAtOnce } from './shape.ts'

/** A process that uses a journal and is killed, starved or refused. It says what happens, one JSON line each. */
export type Said =
  | { readonly kind: 'held' }
  /** calls that are durable */
  | { readonly kind: 'durable'; readonly calls: number }
  | { readonly kind: 'claims'; readonly got: number; readonly shared: number }
  /** requests that it made */
  | { readonly kind: 'requested'; readonly requests: number }
  | { readonly kind: 'opened' }
  | { readonly kind: 'failed'; readonly code: string }

export type Command = 'hold' | 'append' | 'compete' | 'request' | 'open-unprivileged' | 'idle'

const say = (said: Said): unknown => process.stdout.write(`${JSON.stringify(said)}\n`)
const self = { host: 'test', pid: process.pid, bootId: 'boot' }

const commands: Record<Command, (home: string, run: string) => Promise<void>> = {
  /** Claims the run, and waits to be killed. */
  async hold(home, run) {
    const { journal } = await openSqliteJournal(home)
    const claim = await journal.claim(run, self)
    // that the same process tries again must not free the lock
    const again = await (await openSqliteJournal(home)).journal.claim(run, self)
    if (claim === undefined || again !== undefined) return
    say({ kind: 'held' })
    await ended
  },

  /** Claims the run and goes on with its calls until its input ends. */
  async append(home, run) {
    const { journal } = await openSqliteJournal(home)
    const claim = await journal.claim(run, self)
    if (claim === undefined) return void say({ kind: 'failed', code: 'not free' })
    const underWay: Promise<void>[] = []
    let stopped = false
    void ended.then(() => {
      stopped = true
    })
    for (let next = (await journal.load(run)).length; !stopped; next += callsAtOnce) {
      const records: JournalRecord[] = []
      for (let call = next; call < next + callsAtOnce; call++) records.push(aCall(call), anOutcome(call))
      const appended = journal.append(run, records)
      underWay.push(appended.then(() => void say({ kind: 'durable', calls: next + callsAtOnce })))
      if (underWay.length >= 20) await underWay.shift()
    }
    await Promise.all(underWay)
    await claim.release()
    await journal.close()
  },

  /** Claims and releases one run again and again; a folder shows whether another process has it too. */
  async compete(home, run) {
    const { journal } = await openSqliteJournal(home)
    const folder = join(home, 'only-one')
    let got = 0
    let shared = 0
    for (let i = 0; i < 150; i++) {
      const claim = await journal.claim(run, self)
      if (claim === undefined) continue
      got++
      try {
        mkdirSync(folder)
        await journal.take(run)
        rmdirSync(folder)
      } catch {
        shared++
      }
      await claim.release()
    }
    say({ kind: 'claims', got, shared })
    await journal.close()
  },

  /** Asks the run's owner for something again and again, as fast as it can. */
  async request(home, run) {
    const { journal } = await openSqliteJournal(home)
    const requests = 200
    for (let at = 0; at < requests; at++) {
      await journal.request(run, { kind: 'pause', by: 'test', at })
      if (at === 0) say({ kind: 'opened' })
    }
    say({ kind: 'requested', requests })
    await journal.close()
  },

  /** Opens the journal as one whom the system refuses what it refuses all but root. */
  async 'open-unprivileged'(home) {
    if (process.getuid?.() === 0) {
      process.setegid?.(65534)
      process.seteuid?.(65534)
    }
    new Session(home, undefined).methods.close()
    say({ kind: 'opened' })
  },

  /** Leaves its journal open and has nothing more to do. */
  async idle(home) {
    await openSqliteJournal(home)
    say({ kind: 'opened' })
  },
}

const ended = new Promise<void>((resolve) => {
  process.stdin.once('end', resolve)
})

const [command, home, run] = process.argv.slice(2) as [Command, string, string]
// an idle process must end by itself
if (command !== 'idle') process.stdin.resume()
try {
  await commands[command](home, run)
} catch (error) {
  if (!isAlmanacError(error)) throw error
  say({ kind: 'failed', code: error.code })
}
if (command !== 'idle') process.exit()
