import { lstatSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { digestOf } from './blob-files.ts'
import { bearsStamp, stamped, timesKept } from './stamp.ts'

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'almanac-stamp-'))
})

afterAll(() => rmSync(directory, { recursive: true }))

it('a stamp is in the times of a file, at any time of making, until somebody writes to it', () => {
  const path = join(directory, 'x')
  writeFileSync(path, 'x')
  const time = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2105, 0, 1) })
  fc.assert(
    fc.property(fc.string(), time, (text, ms) => {
      const digest = digestOf(text)
      utimesSync(path, 1, stamped(digest, ms))
      const stat = lstatSync(path, { bigint: true })
      expect(bearsStamp(digest, stat)).toBe(true)
      expect(Number(stat.mtimeNs / 1_000_000_000n)).toBe(Math.floor(ms / 1000))
      expect(bearsStamp(digestOf(`${text}!`), stat)).toBe(false)
    }),
    { numRuns: 500 },
  )
  const digest = digestOf('written')
  utimesSync(path, 1, stamped(digest, Date.now()))
  writeFileSync(path, 'y')
  expect(bearsStamp(digest, lstatSync(path, { bigint: true }))).toBe(false)
})

it('is kept by this file system', () => {
  expect(timesKept(join(directory, 'probe')).stamps).toBe(true)
})
