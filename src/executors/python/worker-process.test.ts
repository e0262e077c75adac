import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { defaultLimits } from '../limits.ts'
import { WorkerProcess } from './worker-process.ts'

it('a process that the system refuses to start at once ends like any other that cannot be started', async () => {
  const exits: unknown[] = []
  await new Promise<void>((resolve) => {
    const process = new WorkerProcess(
      {
        id: 1,
        holder: 'h',
        python: 'python3',
        isolated: false,
        directory: tmpdir(),
        env: { LARGE: 'x'.repeat(2 ** 24) },
        unset: [],
        places: [],
        limits: defaultLimits,
      },
      undefined,
      {
        message: () => undefined,
        exited: (exit) => {
          exits.push(exit)
          resolve()
        },
      },
    )
    process.send(['ignored'])
    process.tell(['ignored'])
    process.kill('it is too late')
  })
  expect(exits).toEqual([{ code: null, signal: null, doom: 'spawn E2BIG' }])
})
