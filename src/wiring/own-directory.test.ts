import { mkdirSync, mkdtempSync, realpathSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { removeTree } from '../data/files/remove-tree.ts'
import type { Addition } from '../engine/datasets/add-dataset.ts'
import { isAlmanacError } from '../model/errors.ts'
import { refuseOwnDirectory } from './own-directory.ts'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'almanac-own-')))
  mkdirSync(join(root, 'project/.almanac/trees/aa'), { recursive: true })
  mkdirSync(join(root, 'project/.almanac-of-mine'))
  mkdirSync(join(root, 'project/raw'))
  symlinkSync('.almanac/trees/aa', join(root, 'project/shown'))
})
afterEach(() => removeTree(root))

/** Which of the paths below the project may not be added. */
const refused = (how: Addition['how'], paths: readonly string[]): readonly string[] =>
  paths.filter((below) => {
    try {
      refuseOwnDirectory(join(root, 'project/.almanac'), { path: join(root, 'project', below), how })
      return false
    } catch (error) {
      if (!isAlmanacError(error) || error.code !== 'ALM_PATH_REFUSED') throw error
      return true
    }
  })

const paths = ['.', '..', 'raw', '.almanac', '.almanac/trees', 'shown', '.almanac-of-mine', 'nothing']

it('what lies in the directory that Almanac keeps its own files in is not added, by whichever path', () => {
  for (const how of ['external', 'keep', 'managed'] as const)
    expect(refused(how, paths)).toEqual(['.almanac', '.almanac/trees', 'shown'])
})

it('what holds it is not moved', () => {
  expect(refused('move', paths)).toEqual(['.', '..', '.almanac', '.almanac/trees', 'shown'])
})
