import { expect, it } from 'vitest'
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
