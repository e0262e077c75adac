import { expect, it } from 'vitest'
import { dateOf } from '../../model/instant.ts'
import { canonical, isAt, valueAt } from './canonical.ts'

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

it.each([
  [[], { list: ['a', 'b', undefined], text: 'abc' }, true],
  [['list', 0], 'a', true],
  [['list', 1], 'b', true],
  [['list', -3], 'a', true],
  [['list', 2], undefined, true],
  [['list', 3], undefined, false],
  [['list', -4], undefined, false],
  [['text', 0], undefined, false],
  [['text', 'length'], undefined, false],
  [['list', 'length'], 3, true],
  [['toString'], undefined, false],
  [['gone', 'deeper'], undefined, false],
] as const)('the value at %j is %j', (path, value, is) => {
  const whole = { list: ['a', 'b', undefined], text: 'abc' }
  expect([valueAt(whole, path), isAt(whole, path)]).toEqual([value, is])
})
