import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { expect, it, vi } from 'vitest'
import { isAlive } from '../../testing/executors/executor-bench.ts'
import { patience } from '../../testing/patience.ts'

const programs = 10
const children = 4

/** Begins programs that begin others, whose numbers it prints as they do; it lives until it is killed. */
const host = `
const { SupervisedProgram } = await import(${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)})
const listener = { output: (_, chunk) => process.stdout.write(chunk), exited() {}, refused(error) { throw error } }
const args = ['-c', 'for i in $(seq ${children}); do sleep 1000 & echo $!; done; wait']
for (let i = 0; i < ${programs}; i++) {
  new SupervisedProgram({ program: '/bin/sh', args, cwd: '/', env: { PATH: process.env.PATH } }, listener)
}
setInterval(() => undefined, 60_000)
`

it('ends all that its programs have begun when the host is killed', async () => {
  const hosting = spawn(process.execPath, ['--input-type=module', '-e', host], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pids: number[] = []
  for await (const line of createInterface({ input: hosting.stdout })) {
    if (pids.push(Number(line)) === programs * children) break
  }
  expect(pids.filter(isAlive)).toEqual(pids)
  hosting.kill('SIGKILL')
  await vi.waitUntil(() => pids.filter(isAlive).length === 0, patience)
})
