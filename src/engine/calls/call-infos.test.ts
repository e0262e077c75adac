import { expect, it } from 'vitest'
import { FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { CallInfo } from './call-info.ts'
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

it('what was set of a call is seen by whoever looks at it later, and is gone with the call but for its key', () => {
  const infos = new CallInfos()
  const request = { kind: 'task', name: 'f' } as const
  const own = undefined
  for (const id of [0, 1])
    infos.add({
      id,
      key: `k${id}`,
      caller: 'main',
      path: `main/${id}`,
      request,
      args: null,
      isPlain: true,
      own,
      madeAt: 1000,
    })
  const made = {
    id: 1,
    key: 'k1',
    caller: 'main',
    path: 'main/1',
    request,
    args: null,
    isPlain: true,
    own,
    madeAt: 1000,
  }
  const set = {
    entry: 'a/b',
    fingerprint: 'f1',
    identity: undefined,
    cacheable: true,
    verdict: 'miss',
    startedAt: 1001,
    underWay: undefined,
    resultWire: '1',
    costMs: 7,
    origin: { run: 'r', call: 3 },
    heldKey: 'h1',
    takenFrom: 4,
    lastError: { code: 'ALM_TASK_FAILED', message: 'it failed' },
    drift: 'edited',
    claim: { holds: true, waitsFor: undefined, vain: 1 },
    message: 5,
    map: { executed: 1, carried: 2, removed: 3 },
  } satisfies Partial<CallInfo>
  Object.assign(infos.find(1) ?? {}, set)
  expect(infos.find(0)?.entry).toBeUndefined()
  const names = [...Object.keys(made), ...Object.keys(set)] as (keyof CallInfo)[]
  const found = infos.find(1)
  expect(Object.fromEntries(names.map((name) => [name, found?.[name]]))).toEqual({ ...made, ...set })
  infos.release(1)
  expect([infos.find(1), infos.keyOf(1), infos.requestOf(1)]).toEqual([undefined, 'k1', request])
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
