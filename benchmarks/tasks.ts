import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json, open, python, task, workflow } from 'almanac'
import { threadNoop } from './noop.ts'

/**
 * One run of tasks that do nothing, in a process of its own: engine, journal and executor together.
 *
 *     node benchmarks/tasks.ts inline|threads|python|chain sqlite|memory CALLS
 *
 * Prints `{ "ms": …, "cpuMs": …, "mainMs": …, "againMs": … }`, of the run alone: CPU of this process, without Python's, and
 * of its main thread; and how long a second such run takes, when what the first has called is compiled.
 */

const noop = task('noop', (n: number) => n)
const pythonNoop = python.task({
  run: 'noop.py:noop',
  input: { value: json<number>() },
  output: { same: json<number>() },
})

const shapes = {
  inline: workflow('inline', { input: { count: json<number>() } }, async ({ count }) => {
    for (let n = 0; n < count; n++) void noop(n)
  }),
  threads: workflow('threads', { input: { count: json<number>() } }, async ({ count }) => {
    for (let n = 0; n < count; n++) void threadNoop(n)
  }),
  python: workflow('python', { input: { count: json<number>() } }, async ({ count }) => {
    for (let value = 0; value < count; value++) void pythonNoop({ value })
  }),
  /** each step waits for the one before it */
  chain: workflow('chain', { input: { count: json<number>() } }, async ({ count }) => {
    let last = 0
    for (let n = 0; n < count; n++) last = await noop(last)
  }),
}

const [shape, journal, count] = process.argv.slice(2)
const project = mkdtempSync(join(tmpdir(), 'almanac-bench-'))
const almanac = await open({ project, journal: journal === 'memory' ? 'memory' : 'sqlite' })
try {
  const chosen = shapes[shape as keyof typeof shapes]
  // workers are started and code is compiled by the first
  await almanac.run(chosen, { count: 200 })
  const before = process.cpuUsage()
  const main = process.threadCpuUsage()
  const began = performance.now()
  await almanac.run(chosen, { count: Number(count) })
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(before)
  const own = process.threadCpuUsage(main)
  const cpuMs = (user + system) / 1000
  const mainMs = (own.user + own.system) / 1000
  const beganAgain = performance.now()
  await almanac.run(chosen, { count: Number(count) })
  const againMs = performance.now() - beganAgain
  console.log(JSON.stringify({ ms, cpuMs, mainMs, againMs }))
} finally {
  await almanac.close()
  rmSync(project, { recursive: true })
}
