import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { failure } from '../../testing/contracts/data-fixture.ts'
import { digestOf } from '../blobs/blob-files.ts'
import { hashFile } from './read-file.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-read-'))
  path = join(folder, 'x')
})
afterEach(() => rmSync(folder, { recursive: true }))

const stateOf = () => lstatSync(path, { bigint: true })

it.each([0, 1, 4096, (1 << 20) - 1, 1 << 20, (3 << 20) + 7])(
  'a file of %d bytes has one digest, whether its state was seen before or not',
  (size) => {
    const bytes = Buffer.alloc(size, 'abc')
    writeFileSync(path, bytes)
    const seen = stateOf()
    expect(hashFile(path).digest).toBe(digestOf(bytes))
    expect(hashFile(path, seen)).toEqual({ digest: digestOf(bytes), state: seen })
  },
)

it.each<[string, (size: number) => void]>([
  ['longer', () => appendFileSync(path, 'more')],
  ['shorter', (size) => truncateSync(path, size - 1)],
  ['empty', () => truncateSync(path, 0)],
  ['written to', (size) => writeFileSync(path, Buffer.alloc(size, 'other'))],
  [
    'another file',
    (size) => {
      rmSync(path)
      writeFileSync(path, Buffer.alloc(size, 'abc'))
    },
  ],
  [
    'a directory',
    () => {
      rmSync(path)
      mkdirSync(path)
    },
  ],
  [
    'a pipe',
    () => {
      rmSync(path)
      execFileSync('mkfifo', [path])
    },
  ],
])('a file that is %s since it was seen is told of, and not hashed', (_, change) => {
  for (const size of [100, 2 << 20]) {
    writeFileSync(path, Buffer.alloc(size, 'abc'))
    const seen = stateOf()
    change(size)
    expect(() => hashFile(path, seen)).toThrow(failure('ALM_INPUT_CHANGED', { path }))
    rmSync(path, { recursive: true })
  }
})
