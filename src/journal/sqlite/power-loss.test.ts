import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { RememberedCall } from '../../model/records.ts'
import { plainCall } from '../../model/remembered.ts'
import { aCall, anOutcome, aRun, remembered } from '../../testing/journal-records.ts'
import type { TemporaryHome } from '../../testing/temporary-home.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { unpackPage } from './calls/page-calls.ts'
import { openSqliteJournal } from './open.ts'
import { Session } from './session.ts'

const appends = 40
const header = 32
const frame = 24 + 4096

let home: TemporaryHome
beforeEach(async () => {
  home = await temporaryHome()
})
afterEach(() => home.remove())

/** A database that was written but never checkpointed, its log, and how long that was after each append. */
interface Written {
  readonly log: Buffer
  readonly lengths: readonly number[]
}

async function write(): Promise<Written> {
  const { journal } = await openSqliteJournal(join(home.path, 'written'))
  const files = join(home.path, 'written', 'journal.db')
  await journal.create(aRun('run1'))
  const lengths: number[] = []
  for (let i = 0; i < appends; i++) {
    await journal.append('run1', [aCall(2 * i), aCall(2 * i + 1), anOutcome(2 * i)])
    lengths.push(readFileSync(`${files}-wal`).length)
  }
  copyFileSync(files, join(home.path, 'journal.db'))
  const log = readFileSync(`${files}-wal`)
  await journal.close()
  return { log, lengths }
}

/** What a process finds after the power came back. */
function opened(log: Uint8Array): RememberedCall[] {
  const folder = join(home.path, 'cut')
  mkdirSync(folder)
  copyFileSync(join(home.path, 'journal.db'), join(folder, 'journal.db'))
  writeFileSync(join(folder, 'journal.db-wal'), log)
  const session = new Session(folder, undefined)
  const calls: RememberedCall[] = []
  if (session.methods.run('run1') !== undefined) {
    const { page } = session.methods.load('run1', 0)
    if (page !== undefined) unpackPage(page, calls)
  }
  session.methods.close()
  rmSync(folder, { recursive: true })
  return calls.map(plainCall)
}

const expectedAfter = (count: number): RememberedCall[] =>
  Array.from({ length: count }, (_, i) => [
    remembered(aCall(2 * i), anOutcome(2 * i)),
    remembered(aCall(2 * i + 1)),
  ]).flat()

it('finds whole appends, none missing that was acknowledged, wherever the power cut its log off', async () => {
  const { log, lengths } = await write()
  expect(lengths.at(-1)).toBeGreaterThan(header + appends * frame)
  const last = lengths.length
  for (let i = 0; i < 80; i++) {
    // around frames and anywhere between
    const near = header + frame * Math.floor((i / 80) * ((log.length - header) / frame))
    const cut = Math.min(log.length, Math.max(0, near + ([-1, 0, 1, 24, 2000][i % 5] as number)))
    const acknowledged = lengths.filter((length) => length <= cut).length
    const bytes = i % 2 === 0 ? log.subarray(0, cut) : scrambled(log, cut)
    const found = opened(bytes)
    expect(found.length % 2).toBe(0)
    expect(found).toEqual(expectedAfter(found.length / 2))
    expect(found.length / 2).toBeGreaterThanOrEqual(acknowledged)
  }
  expect(opened(log)).toEqual(expectedAfter(last))
})

/** Blocks that never reached the disk may hold anything. */
function scrambled(log: Buffer, from: number): Buffer {
  const bytes = Buffer.from(log)
  for (let i = from; i < bytes.length; i++) bytes[i] = (i * 131) % 256
  return bytes
}
