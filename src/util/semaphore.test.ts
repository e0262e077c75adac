import { expect, test } from 'vitest'
import { Semaphore } from './semaphore.ts'

test('so many pieces of work are under way at once, the others in order, whatever becomes of them', async () => {
  const semaphore = new Semaphore(2)
  const told: string[] = []
  const work = (name: string) =>
    semaphore.run(async () => {
      told.push(`${name} begins`)
      await Promise.resolve()
      told.push(`${name} ends`)
      if (name === 'b') throw new Error('it failed')
      return name
    })
  const ended = await Promise.allSettled(['a', 'b', 'c'].map(work))
  expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(told).toEqual(['a begins', 'b begins', 'a ends', 'b ends', 'c begins', 'c ends'])
})

test('work that ends elsewhere gives its place back when it does', async () => {
  const semaphore = new Semaphore(1)
  const leave = await semaphore.enter()
  let entered = false
  const next = semaphore.run(async () => {
    entered = true
  })
  await new Promise(setImmediate)
  expect(entered).toBe(false)
  leave()
  await next
  expect(entered).toBe(true)
})

test('what waits costs the same however much of it there is', async () => {
  const took = async (count: number): Promise<number> => {
    const semaphore = new Semaphore(8)
    const began = performance.now()
    await Promise.all(Array.from({ length: count }, () => semaphore.run(() => Promise.resolve())))
    return performance.now() - began
  }
  await took(10_000)
  // 200 000 took a minute when each that went moved all the others
  expect(await took(200_000)).toBeLessThan(10_000)
})
