import { describe, expect, it } from 'vitest'
import { joinPaths } from './path.ts'

describe('joinPaths', () => {
  it('gives the steps of both', () => {
    expect([
      joinPaths([], []),
      joinPaths([], ['a']),
      joinPaths(['a'], []),
      joinPaths(['a'], [1]),
      joinPaths(['a', 0], ['b', 'c']),
    ]).toEqual([[], ['a'], ['a'], ['a', 1], ['a', 0, 'b', 'c']])
  })

  it('has a path of one name once, and tells an index from a name', () => {
    expect(joinPaths([], ['array'])).toBe(joinPaths(['array'], []))
    expect([joinPaths([], [1]), joinPaths([], ['1'])]).toEqual([[1], ['1']])
  })

  it('is right beyond the names that are kept', () => {
    for (let n = 0; n < 2500; n++) expect(joinPaths([], [n])).toEqual([n])
    expect(joinPaths([], [0])).toEqual([0])
  })
})
