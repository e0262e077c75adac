import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeRoom } from './room.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'almanac-room-'))
  mkdirSync(join(home, 'code/compiled/steps'), { recursive: true })
  writeFileSync(join(home, 'code/compiled/steps/a.pyc'), 'a')
  writeFileSync(join(home, 'code/flow.mjs'), 'b')
})
afterEach(() => rmSync(home, { recursive: true }))

it('where there is room nothing goes, and nothing is left of the look', () => {
  makeRoom(home)
  expect([readdirSync(home), existsSync(join(home, 'code/compiled/steps/a.pyc'))]).toEqual([['code'], true])
})

it('where there is none, what is compiled goes, and nothing else', () => {
  makeRoom(home, () => true)
  expect(readdirSync(home, { recursive: true })).toEqual(['code', 'code/flow.mjs'])
})

it('where there is no Almanac yet, none is made', () => {
  makeRoom(join(home, 'nope'))
  expect(existsSync(join(home, 'nope'))).toBe(false)
})
