import { expect, it } from 'vitest'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { HostThrottle } from './host-throttles.ts'

it('costs the same for each however many wait, also where all go away', async () => {
  const throttle = new HostThrottle(new VirtualClock(0))
  const rate = { concurrency: 4, perSecond: Number.POSITIVE_INFINITY }
  // each call has a signal of its own
  const calls = Array.from({ length: 100_000 }, () => new AbortController())
  const entering = () => calls.map(async ({ signal }) => (await throttle.enter(rate, signal))())
  const began = performance.now()
  await Promise.all(entering())
  throttle.pauseUntil(1)
  const gone = Promise.allSettled(entering())
  for (const call of calls) call.abort()
  expect((await gone).every(({ status }) => status === 'rejected')).toBe(true)
  // it took half a minute when each that went moved all the others
  expect(performance.now() - began).toBeLessThan(15_000)
})
