import { describe, expect, it } from 'vitest'
import { failure } from '../../testing/contracts/data-fixture.ts'
import { filterOf, globsOf } from './globs.ts'

describe('globs', () => {
  it('match names at any depth, or paths from the root', () => {
    const table: readonly (readonly [glob: string, path: string, matches: boolean])[] = [
      ['*.nc', 'a.nc', true],
      ['*.nc', 'x/y/a.nc', true],
      ['*.nc', 'a.nc.part', false],
      ['*.nc', 'line\nbreak.nc', true],
      ['.*', 'x/.hidden', true],
      ['x/*.nc', 'x/a.nc', true],
      ['x/*.nc', 'x/y/a.nc', false],
      ['/x/*.nc', 'x/a.nc', true],
      ['x/**', 'x/y/line\nbreak/.a', true],
      ['**/y/*', 'x/y/a', true],
      ['{a,b}.nc', 'b.nc', true],
      ['scene-[0-9].nc', 'scene-7.nc', true],
      ['scene-?.nc', 'scene-12.nc', false],
      ['x/', 'x', true],
      ['(a', '(a', true],
    ]
    for (const [glob, path, matches] of table) {
      const name = path.slice(path.lastIndexOf('/') + 1)
      expect(filterOf(globsOf({ exclude: [glob] })).takesFile(path, name), `${glob} ${path}`).toBe(!matches)
      expect(
        filterOf(globsOf({ include: [glob], exclude: [] })).takesFile(path, name),
        `${glob} ${path}`,
      ).toBe(matches)
    }
  })

  it('are refused where they are none', () => {
    for (const glob of ['', 7, null, 'x'.repeat(5000)]) {
      expect(() => globsOf({ include: [glob as string] })).toThrow(failure('ALM_USAGE'))
    }
  })
})
