import { expect, it } from 'vitest'
import { FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { CallInfos } from './call-infos.ts'

it('what is set of a call is what it has, and nothing of its neighbours changes', () => {
  const infos = new CallInfos()
  const request = { kind: 'task', name: 'f' } as const
  for (const id of [0, 1, 2]) {
    const made = { id, key: `k${id}`, caller: 'main', path: 'main', request, args: null, isPlain: true }
    infos.add({ ...made, own: undefined, madeAt: 1000 + id, entry: undefined })
  }
  const times = (): (readonly number[])[] =>
    [...infos].map(({ madeAt, startedAt, costMs }) => [madeAt, startedAt, costMs])
  const info = infos.find(1)
  if (info === undefined) throw new Error('it is not there')
  info.startedAt = 5000
  // a cost may be any small number: of a row, of its neighbours' or of none
  for (const ms of [0, 1, 2, 3, 4, 0.5, 1e6]) {
    info.costMs = ms
    expect(times()).toEqual([
      [1000, 1000, 0],
      [1001, 5000, ms],
      [1002, 1002, 0],
    ])
  }
})

it('gives arguments back as they were, however they are kept', () => {
  const infos = new CallInfos()
  const request = { kind: 'task', name: 'f' } as const
  const given: readonly Value[] = [
    { args: [] },
    { args: [7] },
    { args: [undefined] },
    { args: [null] },
    { args: ['text'] },
    { args: [[1, 2]] },
    { args: [[]] },
    { args: [{ args: [1] }] },
    { args: [new FutureRef(3, ['field'])] },
    { args: [1, [2], 'three'] },
    { args: [1], context: { notes: 'kept' } },
    { args: 1 },
    { value: 1 },
    {},
    [1],
    'text',
    null,
    undefined,
  ]
  for (const [id, args] of given.entries()) {
    const made = { id, key: `k${id}`, caller: 'main', path: 'main', request, args, isPlain: id % 2 === 0 }
    infos.add({ ...made, own: undefined, madeAt: 1000, entry: undefined })
  }
  expect([...infos].map(({ args }) => args)).toStrictEqual(given)
  expect([...infos].map(({ isPlain }) => isPlain)).toEqual(given.map((_, id) => id % 2 === 0))
})
