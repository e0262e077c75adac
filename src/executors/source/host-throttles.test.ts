import { expect, it } from 'vitest'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { HostThrottle } from './host-throttles.ts'

const never = new AbortController().signal

it('lets in no more a second than each call says, in the order of their coming', async () => {
  const clock = new VirtualClock(0)
  const throttle = new HostThrottle(clock)
  const entered: [string, number][] = []
  const enter = (name: string, perSecond: number): void =>
    void throttle.enter({ concurrency: 10, perSecond }, never).then(() => entered.push([name, clock.now()]))
  for (const name of ['a', 'b', 'c']) enter(name, 10)
  enter('d', 1)
  enter('e', Number.POSITIVE_INFINITY)
  await clock.settle()
  await clock.advance(5000)
  expect(entered).toEqual([
    ['a', 0],
    ['b', 100],
    ['c', 200],
    ['d', 1200],
    ['e', 1200],
  ])
})

it('lets nobody in while the host wants to be left alone, and forgets who has gone away', async () => {
  const clock = new VirtualClock(0)
  const throttle = new HostThrottle(clock)
  const rate = { concurrency: 1, perSecond: Number.POSITIVE_INFINITY }
  throttle.pauseUntil(3000)
  const away = new AbortController()
  const entered: number[] = []
  const gone = expect(throttle.enter(rate, away.signal)).rejects.toThrow('away')
  const second = throttle.enter(rate, never).then((leave) => {
    entered.push(clock.now())
    return leave
  })
  void throttle.enter(rate, never).then(() => entered.push(clock.now()))
  away.abort(new Error('away'))
  await gone
  await clock.settle()
  await clock.advance(4000)
  expect(entered).toEqual([3000])
  const leave = await second
  leave()
  leave()
  await clock.settle()
  expect(entered).toEqual([3000, 4000])
})
