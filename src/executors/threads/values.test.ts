import { describe, expect, it } from 'vitest'
import { DirRef, FileRef, UrlRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { type Parts, pack, unpack } from './values.ts'

const none = (): undefined => undefined
const roundTrip = (value: Value): Value => {
  const parts: Parts = []
  const text = JSON.stringify(pack(value, parts, none))
  return unpack(JSON.parse(text), { parts, array: none, other: (one) => one })
}

describe('values on their way to a thread', () => {
  it('come as they went', () => {
    const value = {
      numbers: [1, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e300],
      texts: ['', 'äöü 🌍', '$'],
      nested: { $: 'array', id: 1, deeper: [{ $: 1 }, [[null, true, undefined]]] },
      date: new Date(1e12),
      big: -(2n ** 90n),
      bytes: new Uint8Array([1, 2, 3]),
      many: new Uint8Array(100_000).fill(9),
      file: new FileRef('a.txt', 'a'.repeat(64), 3, true, '/a.txt'),
      dir: new DirRef('b'.repeat(64), 1, 2, '/b'),
      url: new UrlRef('https://a/b.nc', 5, '"v"', false, undefined, 'https://a/b.nc?signed'),
    }
    expect(roundTrip(value)).toEqual(value)
  })

  it('keep a field that is called __proto__', () => {
    const value = JSON.parse('{"__proto__": {"a": 1}, "b": 2}') as Value
    expect(Object.keys(roundTrip(value) as object)).toEqual(['__proto__', 'b'])
  })

  it('have large bytes beside their text', () => {
    const parts: Parts = []
    const large = new Uint8Array(40_000)
    expect(pack([large, new Uint8Array(1)], parts, none)).toEqual([
      { $: 'part', i: 0 },
      { $: 'bytes', v: 'AA==' },
    ])
    expect(parts).toEqual([large])
  })

  it.each([
    ['a function', { f: () => 1 }],
    ['an instance of a class', [new Map()]],
    ['a circle', circle()],
  ])('are refused where nothing can stand for them: %s', (_, value) => {
    expect(() => pack(value, [], none)).toThrow(expect.objectContaining({ code: 'ALM_VALUE_REFUSED' }))
  })

  it('are refused where they contain themselves, with the beginning of the path', () => {
    expect(() => pack(circle(), [], none)).toThrow(
      expect.objectContaining({
        details: {
          path: `self${'.self'.repeat(19)}… (201 deep)`,
          why: 'it is nested more than 200 deep, or contains itself',
        },
      }),
    )
  })

  it('are refused where their bytes did not come', () => {
    const how = { parts: [], array: none, other: (one: Value) => one }
    expect(() => unpack({ $: 'part', i: 0 }, how)).toThrow('its bytes did not come')
  })
})

function circle(): unknown {
  const value: Record<string, unknown> = {}
  value['self'] = value
  return value
}
