import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openPythonExecutor } from '../src/executors/python/executor.ts'
import type { Attempt, AttemptEnd, AttemptId } from '../src/ports/executor.ts'
import { systemClock } from '../src/system/system-clock.ts'
import { taskSpec } from '../src/testing/task-spec.ts'
import { cpuSeconds, treeOf } from './seed/process-tree.ts'

/**
 * The Python executor by itself, without engine and journal: tasks that do nothing.
 *
 *   node benchmarks/python-executor.ts [--processes 2] [--tasks 100000]
 */
const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: String(availableParallelism()) },
    tasks: { type: 'string', default: '100000' },
  },
})

const waiting = new Map<AttemptId, (end: AttemptEnd) => void>()
const executor = openPythonExecutor(
  { clock: systemClock, processes: Number(values.processes) },
  {
    started: () => undefined,
    log: () => undefined,
    heartbeat: () => undefined,
    note: () => undefined,
    ended: (id, end) => {
      waiting.get(id)?.(end)
      waiting.delete(id)
    },
  },
)

const task = taskSpec('noop', {
  kind: 'python',
  file: fileURLToPath(new URL('noop.py', import.meta.url)),
  function: 'noop',
  threads: 1,
})

let calls = 0
const attempt = (): Attempt => {
  calls += 1
  return {
    id: `r/${calls}.1`,
    run: 'r',
    call: calls,
    attempt: 1,
    key: 'k',
    task,
    inputs: { value: calls },
    outputs: {},
    scratch: '',
    idempotencyKey: String(calls),
    memoryBytes: 0,
    env: {},
    logicalTime: 0,
  }
}

const run = (attempts: readonly Attempt[]): Promise<readonly AttemptEnd[]> => {
  const ends = attempts.map(({ id }) => new Promise<AttemptEnd>((resolve) => waiting.set(id, resolve)))
  executor.submit(attempts)
  return Promise.all(ends)
}

/** CPU of the worker processes, those that have ended included. */
function workersCpuMs(): number {
  const { user, system } = process.cpuUsage()
  return cpuSeconds(treeOf(process.pid)) * 1000 - (user + system) / 1000
}

const quantile = (times: readonly number[], share: number): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN

const batch = (count: number): Attempt[] => Array.from({ length: count }, attempt)

const startedAt = performance.now()
await run([attempt()])
const firstMs = performance.now() - startedAt
await run(batch(5000))

const trips: number[] = []
for (let at = 0; at < 2000; at++) {
  const begun = performance.now()
  await run([attempt()])
  trips.push((performance.now() - begun) * 1000)
}

const count = Number(values.tasks)
const cpu = { host: process.cpuUsage(), workers: workersCpuMs() }
const begun = performance.now()
const ends = await run(batch(count))
const seconds = (performance.now() - begun) / 1000
const host = process.cpuUsage(cpu.host)
const workersMs = workersCpuMs() - cpu.workers
if (ends.some((end) => end.kind !== 'succeeded')) throw new Error('not all tasks succeeded')

console.log(
  JSON.stringify({
    processes: Number(values.processes),
    firstTaskMs: Math.round(firstMs),
    roundTripUs: { p50: Math.round(quantile(trips, 0.5)), p99: Math.round(quantile(trips, 0.99)) },
    tasks: count,
    tasksPerSecond: Math.round(count / seconds),
    // on a busy machine the better figures
    cpuUsPerTask: {
      host: Number(((host.user + host.system) / count).toFixed(2)),
      workers: Number(((workersMs * 1000) / count).toFixed(2)),
    },
  }),
)
await executor.close()
