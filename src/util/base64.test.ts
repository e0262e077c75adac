import { expect, it } from 'vitest'
import { fromBase64, toBase64 } from './base64.ts'

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) & 255)

it('is what others write, also where it is made in pieces', () => {
  for (const length of [0, 1, 2, 3, 4, 12_287, 12_288, 12_289, 24_577, 50_000])
    expect(toBase64(bytes(length))).toBe(Buffer.from(bytes(length)).toString('base64'))
})

it('is read back, and refused where it is not canonical', () => {
  expect(fromBase64(toBase64(bytes(24_577)))).toEqual(bytes(24_577))
  expect(['A', 'AA*=', 'AAA'].map(fromBase64)).toEqual([undefined, undefined, undefined])
})
