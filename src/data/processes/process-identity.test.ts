import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { isGone, thisProcess } from './process-identity.ts'

it('a process is gone when it has ended, when its id is another one’s, and after a new start of the machine', async () => {
  const here = thisProcess()
  expect(isGone(here)).toBe(false)
  expect(isGone({ ...here, start: '1' })).toBe(true)
  expect(isGone({ ...here, bootId: 'another' })).toBe(true)
  const child = spawn('true')
  await once(child, 'exit')
  expect(isGone({ ...here, pid: child.pid as number, start: '1' })).toBe(true)
})

it('a process of another container is not known to be gone', () => {
  expect(isGone({ ...thisProcess(), pid: 2 ** 22, pidNamespace: 'pid:[1]' })).toBe(false)
})
