import { expect, it } from 'vitest'
import { DirRef, FileRef, HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { missing } from './missing-field.ts'

const held = Object.assign(Object.create(HeldRef.prototype), { type: 'float64[9,9]' }) as HeldRef
const digest = 'd'.repeat(64)

it.each<[Value, (string | number)[], string]>([
  [{ month: 1, mean: 2 }, ['mena'], 'mena: it has month, mean'],
  [{ a: { b: 1 } }, ['a', 'c', 'd'], 'a.c: a has b'],
  [[1, 2], [-3], '[-3]: it is a list of 2'],
  [7, ['high'], 'high: it is a number'],
  ['text', [0], '[0]: it is a text'],
  [null, ['x'], 'x: it is nothing'],
  [{}, ['x'], 'x: it is empty'],
  [{ tif: new FileRef('tile.tif', digest, 3) }, ['tif', 'mean'], 'tif.mean: tif is the file tile.tif'],
  [new DirRef(digest, 2, 9), ['day'], 'day: it is a directory'],
  [held, [0], "[0]: it is float64[9,9] in a worker's memory"],
  [
    Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`n${i}`, i])),
    ['x'],
    'x: it has n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 2 more',
  ],
])('of %j at %j it says what is missing, and what is there', (value, path, said) => {
  const { path: at, has } = missing(value, path)
  expect(`${at}: ${has}`).toBe(said)
})
