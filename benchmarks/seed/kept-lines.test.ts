import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { KeptLines } from './kept-lines.ts'
import type { Line } from './table.ts'

const cell = { n: 4000, sleepMean: 0.1, sleepSpread: 0.05, sizeMb: 10, parallel: 16 }
const measured: Line = { engine: 'floor', ...cell, wallS: 20, load: { before: 1, after: 2 } }
const stopped = (why: string): Line => ({
  engine: 'prefect',
  ...cell,
  stopped: why,
  load: { before: 1, after: 2 },
})
const textOf = (...lines: readonly Line[]): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('')

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-lines-'))
  path = join(folder, 'lines.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

it('has what was measured, and what takes too much', () => {
  writeFileSync(path, textOf(measured, stopped('it took more than 12 GB')))
  const lines = new KeptLines(path)
  expect(['floor', 'prefect', 'dask'].map((engine) => lines.has(engine, cell))).toEqual([true, true, false])
  expect(lines.has('floor', { ...cell, n: 1000 })).toBe(false)
})

it('has not what failed, and takes what comes of it later in its place', () => {
  const failed = stopped('it ended with 1: Timed out')
  writeFileSync(path, textOf(failed, measured))
  const lines = new KeptLines(path)
  expect(lines.has('prefect', cell)).toBe(false)
  const later: Line = { ...measured, engine: 'prefect', wallS: 90 }
  lines.add(later)
  expect(lines.has('prefect', cell)).toBe(true)
  expect(lines.all).toEqual([later, measured])
  expect(readFileSync(path, 'utf8')).toBe(textOf(failed, measured, later))
  expect(new KeptLines(path).all).toEqual([later, measured])
})

it('leaves out a last line that was cut off, and removes it from the file', () => {
  writeFileSync(path, `${textOf(measured)}{"engine":"da`)
  expect(new KeptLines(path).all).toEqual([measured])
  expect(readFileSync(path, 'utf8')).toBe(textOf(measured))
})
