import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { asTyped, commandText } from './command-text.ts'

let folder: string

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'almanac-command-')))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** A command that npm has installed in a directory. */
function installed(directory: string, name: string): string {
  const bin = join(directory, 'node_modules/.bin')
  const own = join(folder, name)
  mkdirSync(bin, { recursive: true })
  writeFileSync(own, '')
  symlinkSync(own, join(bin, 'almanac'))
  return own
}

it('is npx almanac below the package that has it, within another package too', () => {
  const own = installed(join(folder, 'project'), 'almanac.cjs')
  const inner = join(folder, 'project/inner')
  mkdirSync(inner)
  writeFileSync(join(inner, 'package.json'), '{}')
  expect(commandText(join(folder, 'project'), own, '', false)).toBe('npx almanac')
  expect(commandText(inner, own, '', false)).toBe('npx almanac')
})

it('is told by its path where npx would start another one, or none', () => {
  const own = installed(join(folder, 'project'), 'almanac.cjs')
  installed(join(folder, 'project/inner'), 'other.cjs')
  expect(commandText(join(folder, 'project/inner'), own, '', false)).toBe(`node ${own}`)
  expect(commandText(folder, own, '', false)).toBe(`node ${own}`)
})

it('is almanac where that is on the path', () => {
  const own = installed(join(folder, 'project'), 'almanac.cjs')
  symlinkSync(own, join(folder, 'almanac'))
  expect(commandText(join(folder, 'project'), own, folder, false)).toBe('almanac')
})

it('is told by the Python that has started it, where nothing shorter does', () => {
  const own = installed(join(folder, 'project'), 'almanac.cjs')
  expect(commandText(folder, own, '', true, 'python -m almanac')).toBe('python -m almanac')
  expect(commandText(join(folder, 'project'), own, '', true, 'python -m almanac')).toBe('npx almanac')
})

it('is what hints name, wherever they name commands', () => {
  expect(
    asTyped('Read its log: almanac logs RUN, or free space (almanac gc).\nalmanac help', 'npx almanac'),
  ).toBe('Read its log: npx almanac logs RUN, or free space (npx almanac gc).\nnpx almanac help')
  for (const typed of ['See npx almanac runs.', 'See python -m almanac runs.'])
    expect(asTyped(typed, 'npx almanac')).toBe(typed)
  const other = 'Almanac needs Node 24: run it by npx almanac. Edit almanac.config.ts.'
  expect(asTyped(other, 'npx almanac')).toBe(other)
})
