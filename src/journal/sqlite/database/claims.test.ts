import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TemporaryHome } from '../../../testing/temporary-home.ts'
import { temporaryHome } from '../../../testing/temporary-home.ts'
import { Claims } from './claims.ts'

let home: TemporaryHome
let claims: Claims
beforeEach(async () => {
  home = await temporaryHome()
  claims = new Claims(home.path)
})
afterEach(() => home.remove())

/** Looks at a lock until it is told to go, and then many times more. */
const looker = `
const { parentPort, workerData: path } = require('node:worker_threads')
const db = new (require('node:sqlite').DatabaseSync)(path, { readOnly: true })
const look = () => db.prepare('SELECT count(*) FROM sqlite_schema').get()
db.exec('BEGIN')
look()
parentPort.postMessage('looks')
parentPort.once('message', () => {
  for (let i = 0; i < 10_000; i++) look()
  db.close()
})
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
  const looks = new Worker(looker, { eval: true, workerData: join(home.path, 'locks', 'run1.lock') })
  const gone = once(looks, 'exit')
  await once(looks, 'message')
  looks.postMessage('go')
  expect(claims.take('run1')).toBe(true)
  claims.release('run1')
  await gone
})
