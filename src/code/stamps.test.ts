import { statSync, utimesSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ProjectFolder } from '../testing/project-folder.ts'
import { checkStamps, type Stamp, stampOf } from './stamps.ts'

let folder: ProjectFolder

beforeEach(() => {
  folder = new ProjectFolder()
})

afterEach(() => folder.remove())

const at = new Date('2026-01-01T00:00:00Z')

function written(text: string): string {
  const path = folder.path('file.ts')
  folder.write({ 'file.ts': text })
  utimesSync(path, at, at)
  return path
}

const later = (): number => Date.now() + 60_000

/** The moment after it was written, however long ago that is by now. */
const atOnce = (path: string): number => statSync(path).ctimeMs + 1

test('a file that was at rest is known by its stamp alone', () => {
  const path = written('one')
  const stamp = stampOf(path, later()) as Stamp
  expect(stamp.rested).toBe(true)
  // a digest that no file has: it is not looked at
  expect(checkStamps([{ ...stamp, digest: 'none' }], [], later())).toEqual({
    holds: true,
    fresher: undefined,
  })
})

test('a file that was just written is known by its content, and its stamp is then of more use', () => {
  const path = written('one')
  const stamp = stampOf(path, atOnce(path)) as Stamp
  expect(stamp.rested).toBe(false)
  expect(checkStamps([stamp], [], atOnce(path))).toEqual({ holds: true, fresher: undefined })
  expect(checkStamps([stamp], [], later())).toEqual({ holds: true, fresher: [{ ...stamp, rested: true }] })
})

test('a file written within the grain of the clock, of the same size and time, is seen to have changed', () => {
  const path = written('one')
  const stamp = stampOf(path, atOnce(path)) as Stamp
  written('two')
  const same = stampOf(path, atOnce(path)) as Stamp
  const racy: Stamp = { ...same, digest: stamp.digest }
  expect(checkStamps([racy], [], later()).holds).toBe(false)
})

test('a file that is touched holds, one that is edited, removed or replaced does not', () => {
  const path = written('one')
  const stamp = stampOf(path, later()) as Stamp
  utimesSync(path, new Date(), new Date())
  expect(checkStamps([stamp], [], later()).holds).toBe(true)
  written('another')
  expect(checkStamps([stamp], [], later()).holds).toBe(false)
  folder.write({ 'file.ts': null })
  expect(checkStamps([stamp], [], later()).holds).toBe(false)
  folder.write({ 'file.ts/inner': '' })
  expect(checkStamps([stamp], [], later()).holds).toBe(false)
})

test('a file that came where there was none is seen', () => {
  const stamp = stampOf(written('one'), later()) as Stamp
  expect(checkStamps([stamp], [folder.path('none.ts')], later()).holds).toBe(true)
  folder.write({ 'none.ts': '' })
  expect(checkStamps([stamp], [folder.path('none.ts')], later()).holds).toBe(false)
})

test('there is no stamp of a file that is no longer what was read', () => {
  const path = written('one')
  expect(stampOf(path, later(), 'another digest')).toBeUndefined()
  expect(stampOf(folder.path('none.ts'), later())).toBeUndefined()
})
