import { expect, it } from 'vitest'
import { dateOf } from '../../model/instant.ts'
import { canonical } from './canonical.ts'

it('a time counts by its microseconds, and as ever where it has none', () => {
  const texts = ['00.123Z', '00.123000Z', '00.123456Z', '00.123457Z']
  const times = texts.map((seconds) => dateOf(`2026-01-31T12:00:${seconds}`))
  const ms = Date.UTC(2026, 0, 31, 12, 0, 0, 123)
  expect(times.map((time) => canonical(time, { future: () => '' }))).toEqual([
    `t${ms}`,
    `t${ms}`,
    `t${ms}+456`,
    `t${ms}+457`,
  ])
})
