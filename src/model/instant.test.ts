import { describe, expect, it } from 'vitest'
import { decode, encode } from './codec.ts'
import { dateOf, Instant } from './instant.ts'
import { ownCopy } from './value-refs.ts'

describe('a time in microseconds', () => {
  const text = '2026-01-31T12:00:00.123456Z'

  it('is a date, and is kept whole wherever it goes', () => {
    const time = dateOf(text)
    expect(time).toBeInstanceOf(Date)
    expect([time.getTime(), time.toISOString(), JSON.stringify({ time })]).toEqual([
      Date.UTC(2026, 0, 31, 12, 0, 0, 123),
      text,
      `{"time":"${text}"}`,
    ])
    const again = decode(encode({ at: [ownCopy(time)] })) as { at: Date[] }
    expect(again.at.map(String)).toEqual([String(time)])
    expect(again.at[0]?.toISOString()).toBe(text)
    expect(dateOf('2026-01-31T12:00:00.123000Z')).not.toBeInstanceOf(Instant)
    expect(dateOf('0001-01-01T00:00:00.000009Z').toISOString()).toBe('0001-01-01T00:00:00.000009Z')
  })

  it('is none where the text says none', () => {
    expect(dateOf('2026-01-32T12:00:00.123456Z').getTime()).toBeNaN()
  })
})
