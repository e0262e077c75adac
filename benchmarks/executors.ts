import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCommandExecutor } from '../src/executors/command/executor.ts'
import { openInlineExecutor } from '../src/executors/inline/executor.ts'
import type { TaskSpec } from '../src/model/task.ts'
import type { Attempt, Executor, ExecutorListener } from '../src/ports/executor.ts'
import { systemClock } from '../src/system/system-clock.ts'
import { taskSpec } from '../src/testing/task-spec.ts'

/**
 * What executors cost: inline attempts a second, and what a command costs over a bare child process. CPU is that of
 * this thread (inline) or of this process and its children (commands): on a busy machine the better figure.
 *
 *     node benchmarks/executors.ts
 */

type Open = (listener: ExecutorListener) => Executor
type Make = (call: number) => Attempt

interface Cost {
  readonly ms: number
  readonly cpuMs: number
}

/** CPU of this thread, or of this process with its children that have ended. */
function cpuMs(children: boolean): number {
  if (!children) {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  const stat = readFileSync('/proc/self/stat', 'latin1')
  // utime, stime, cutime, cstime, in hundredths of a second
  const ticks = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
  return ticks.reduce((sum, tick) => sum + Number(tick) * 10, 0)
}

async function cost(children: boolean, work: () => Promise<void>): Promise<Cost> {
  const cpu = cpuMs(children)
  const began = performance.now()
  await work()
  return { ms: performance.now() - began, cpuMs: cpuMs(children) - cpu }
}

/** Executes so many attempts, of which `width` are submitted and not ended, in batches of `batch`. */
async function execute(open: Open, make: Make, count: number, width: number, batch: number): Promise<void> {
  let ended = 0
  let made = 0
  let waiting = 0
  let failed = 0
  let done: () => void = () => undefined
  const all = new Promise<void>((resolve) => {
    done = resolve
  })
  const submit = (room: number): void => {
    const size = Math.min(room, count - made)
    if (size > 0) executor.submit(Array.from({ length: size }, () => make(made++)))
  }
  const executor = open({
    started: () => undefined,
    log: () => undefined,
    heartbeat: () => undefined,
    note: () => undefined,
    ended: (_, end) => {
      if (end.kind !== 'succeeded') failed++
      if (++ended === count) done()
      else if (++waiting >= batch) {
        submit(waiting)
        waiting = 0
      }
    },
  })
  submit(width)
  await all
  await executor.close()
  if (failed > 0) throw new Error(`${failed} attempts failed`)
}

const attempt = (call: number, task: TaskSpec, scratch: string, more: Partial<Attempt>): Attempt => ({
  id: `r1/${call}.1`,
  run: 'r1',
  call,
  attempt: 1,
  key: 'k',
  task,
  inputs: {},
  outputs: {},
  scratch,
  idempotencyKey: 'i',
  memoryBytes: 0,
  env: {},
  logicalTime: 0,
  ...more,
})

/** The same number of bare child processes, their output read. */
async function spawnBare(count: number, width: number): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    while (next++ < count) {
      await new Promise<void>((resolve) => {
        const child = spawn('/bin/true', [], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
        child.stdout.resume()
        child.stderr.resume()
        child.once('close', () => resolve())
      })
    }
  }
  await Promise.all(Array.from({ length: width }, one))
}

/** The least of a few: on a busy machine the others say more about the machine. */
async function best(times: number, measure: () => Promise<Cost>): Promise<Cost> {
  const costs: Cost[] = []
  for (let i = 0; i < times; i++) costs.push(await measure())
  return { ms: Math.min(...costs.map((one) => one.ms)), cpuMs: Math.min(...costs.map((one) => one.cpuMs)) }
}

async function inline(): Promise<void> {
  const task = taskSpec('noop', { kind: 'function', name: 'noop' })
  const open: Open = (listener) => openInlineExecutor({ clock: systemClock }, listener)
  const cases: readonly (readonly [string, Partial<Attempt>, batch: number])[] = [
    ['plain function, batches of 1000', { fn: (n: number) => n }, 1000],
    ['plain function, one at a time', { fn: (n: number) => n }, 1],
    ['async function, batches of 1000', { fn: async (n: number) => n }, 1000],
    [
      'async function with a timeout, batches of 1000',
      { fn: async (n: number) => n, timeoutMs: 60_000 },
      1000,
    ],
  ]
  for (const [name, more, batch] of cases) {
    const count = 300_000
    const make: Make = (call) => attempt(call, task, '/tmp', { inputs: { args: [call] }, ...more })
    const { ms, cpuMs } = await best(5, () => cost(false, () => execute(open, make, count, batch, batch)))
    const cpu = `${((cpuMs * 1000) / count).toFixed(2)} µs of CPU each`
    console.log(`inline, ${name.padEnd(48)} ${Math.round(count / ms)} 000 attempts/s, ${cpu}`)
  }
}

async function command(): Promise<void> {
  const task = taskSpec('noop', { kind: 'command', run: ['/bin/true'], exitCodes: { retry: [] } })
  const open: Open = (listener) => openCommandExecutor({ clock: systemClock }, listener)
  const count = 200
  const text = ({ ms, cpuMs }: Cost): string =>
    `${(ms / count).toFixed(2)} ms (CPU ${(cpuMs / count).toFixed(2)} ms)`
  for (const width of [1, 2, 16]) {
    const bare = await best(5, () => cost(true, () => spawnBare(count, width)))
    const ours = await best(5, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'bench-'))
      const scratch = (call: number): string => join(folder, String(call))
      for (let call = 0; call < count; call++) mkdirSync(scratch(call))
      const spent = await cost(true, () =>
        execute(open, (call) => attempt(call, task, scratch(call), {}), count, width, 1),
      )
      rmSync(folder, { recursive: true })
      return spent
    })
    console.log(`command, ${width} at once: ${text(ours)} each, a bare child process ${text(bare)}`)
  }
}

await inline()
await command()
