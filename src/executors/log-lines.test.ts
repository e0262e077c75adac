import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter, splitLines } from './log-lines.ts'

const split = (chunks: readonly Uint8Array[], maxLength = 1000): string[] => {
  const splitter = new LineSplitter(maxLength)
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()]
}

const bytes = (text: string): Uint8Array => Buffer.from(text)

/** The bytes in pieces, cut at these places. */
function pieces(all: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length]
  return places.slice(1).map((to, i) => all.slice(places[i], to))
}

describe('lines of a byte stream', () => {
  it('end with each of the three line ends', () => {
    expect(split([bytes('a\nb\r\nc\rd\n\ne')])).toEqual(['a', 'b', 'c', 'd', '', 'e'])
  })

  it('show each state of a progress bar', () => {
    expect(split([bytes('\r 10 %'), bytes('\r 20 %'), bytes('\rdone\n')])).toEqual([
      '',
      ' 10 %',
      ' 20 %',
      'done',
    ])
  })

  it('are the same wherever the stream is cut, be it within a character or a line end', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ü', '🌍', '\n', '\r\n', '\r', ' ') })
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 6 }), (whole, cuts) => {
        expect(split(pieces(bytes(whole), cuts))).toEqual(split([bytes(whole)]))
      }),
    )
  })

  it('hold bytes that are no UTF-8 as replacement characters', () => {
    expect(split([Uint8Array.of(0x61, 0xff, 0x62, 0x0a, 0xe2, 0x82)])).toEqual(['a\ufffdb', '\ufffd'])
  })

  it('are split where they are too long, never within a character', () => {
    expect(split([bytes('12345678\n🌍🌍🌍')], 3)).toEqual(['123', '456', '78', '🌍', '🌍', '🌍'])
    expect(split([bytes('1234'), bytes('5678')], 3)).toEqual(['123', '456', '78'])
  })

  it('need no more memory and time than their length, even where no line ever ends', () => {
    const splitter = new LineSplitter(1000)
    const chunk = bytes('x'.repeat(7))
    let characters = 0
    for (let i = 0; i < 200_000; i++) for (const line of splitter.push(chunk)) characters += line.length
    for (const line of splitter.end()) characters += line.length
    expect(characters).toBe(1_400_000)
  })
})

describe('lines of a text', () => {
  it('do not count the line end at its end', () => {
    expect(splitLines('a\nb\n', 10)).toEqual(['a', 'b'])
    expect(splitLines('a\r\n', 10)).toEqual(['a'])
    expect(splitLines('', 10)).toEqual([''])
    expect(splitLines('\n\n', 10)).toEqual(['', ''])
  })

  it('are split where they are too long', () => {
    expect(splitLines('abcdef\ngh', 4)).toEqual(['abcd', 'ef', 'gh'])
  })
})
