import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TemporaryHome } from '../../testing/temporary-home.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { Claims } from './claims.ts'

let home: TemporaryHome
let claims: Claims
beforeEach(async () => {
  home = await temporaryHome()
  claims = new Claims(home.path)
})
afterEach(() => home.remove())

/** Looks at a lock until it is told to go, and then for a moment more. */
const looker = `
const { parentPort, workerData: { path, cell } } = require('node:worker_threads')
const db = new (require('node:sqlite').DatabaseSync)(path, { readOnly: true })
db.exec('BEGIN')
db.prepare('SELECT count(*) FROM sqlite_schema').get()
parentPort.postMessage('looks')
Atomics.wait(cell, 0, 0)
Atomics.wait(cell, 1, 0, 50)
db.close()
`

it('are had by one at a time', () => {
  const other = new Claims(home.path)
  expect([claims.take('run1'), other.take('run1'), claims.take('run1')]).toEqual([true, false, false])
  expect([claims.isTaken('run1'), other.isTaken('run1'), other.isTaken('run2')]).toEqual([true, true, false])
  claims.release('run1')
  expect([other.isTaken('run1'), other.take('run1')]).toEqual([false, true])
  other.release('run1')
})

it('are not taken to be had by somebody who only looks whether they are', async () => {
  claims.take('run1')
  claims.drop('run1')
  const cell = new Int32Array(new SharedArrayBuffer(8))
  const workerData = { path: join(home.path, 'locks', 'run1.lock'), cell }
  const looks = new Worker(looker, { eval: true, workerData })
  const gone = once(looks, 'exit')
  await once(looks, 'message')
  Atomics.store(cell, 0, 1)
  Atomics.notify(cell, 0)
  expect(claims.take('run1')).toBe(true)
  claims.release('run1')
  await gone
})
