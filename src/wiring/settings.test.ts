import { afterEach, expect, it, vi } from 'vitest'
import { usableMemory } from '../executors/usable-memory.ts'
import { environmentOf, runSettings } from './settings.ts'

afterEach(() => vi.unstubAllEnvs())

const memory = (given: { readonly options?: object; readonly config?: object }): number =>
  runSettings(given.options ?? {}, given.config ?? {}, 'main').memoryBytes

it('takes the memory of a run from who says it last: program, flag, environment, project, machine', () => {
  vi.stubEnv('ALMANAC_MEMORY', '')
  expect(memory({})).toBe(usableMemory())
  expect(memory({ config: { memory: '1GiB' } })).toBe(2 ** 30)
  vi.stubEnv('ALMANAC_MEMORY', '512MiB')
  expect(memory({ config: { memory: '1GiB' } })).toBe(2 ** 29)
  expect(memory({ options: { memory: '2GB' } })).toBe(2e9)
  expect(memory({ options: { memoryBytes: 5, memory: '2GB' } })).toBe(5)
})

it('refuses what is no size', () => {
  expect(() => memory({ options: { memory: 'much' } })).toThrow(
    '--memory much: it is a size like 512MiB or 8GiB',
  )
  vi.stubEnv('ALMANAC_MEMORY', '0MiB')
  expect(() => memory({})).toThrow('ALMANAC_MEMORY 0MiB: it is a size')
})

it('takes an environment that names a place below the data directory, and refuses others', () => {
  expect([environmentOf({}, {}), environmentOf({ environment: 'a/b' }, { environment: 'c' })]).toEqual([
    'main',
    'a/b',
  ])
  expect(() => environmentOf({}, { environment: '../x' })).toThrow('environment ../x: a name is ".."')
  expect(() => environmentOf({ environment: '' }, {})).toThrow('environment : a name is empty')
  expect(() => environmentOf({ environment: '.git' }, {})).toThrow('environment .git: a name begins with "."')
})
