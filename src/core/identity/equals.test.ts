import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { Equals } from './equals.ts'

it('tells of each digest how often it was met', () => {
  const equals = new Equals()
  const digests = Array.from({ length: 1000 }, (_, n) => createHash('sha256').update(String(n)).digest('hex'))
  // of two that begin alike each has its own count
  const alike = `${digests[0]?.slice(0, 60)}abcd`
  expect(digests.map((digest) => equals.met(digest))).toEqual(digests.map(() => 0))
  expect([alike, alike, alike, digests[0] as string].map((digest) => equals.met(digest))).toEqual([
    0, 1, 2, 1,
  ])
  expect(digests.slice(1).map((digest) => equals.met(digest))).toEqual(digests.slice(1).map(() => 1))
  equals.set(alike, 7)
  expect(equals.met(alike)).toBe(7)
})
