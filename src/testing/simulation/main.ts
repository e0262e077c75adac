import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { Report, Share } from './share.ts'
import { simulate } from './simulate.ts'

/**
 * `node src/testing/simulation/main.ts --seeds 10000 [--from N] [--jobs N]`: simulates so many seeds, on all processors.
 * `… --seed N [--trace]`: one of them, with all that happened.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})

process.exitCode = values.seed === undefined ? await all() : await one(Number(values.seed))

async function one(seed: number): Promise<number> {
  const lines: string[] = []
  try {
    const summary = await simulate(seed, values.trace ? (line) => lines.push(line()) : undefined)
    say(lines, `seed ${seed}: ${JSON.stringify(summary)}`)
    return 0
  } catch (error) {
    say(lines, `seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return 1
  }
}

async function all(): Promise<number> {
  const began = performance.now()
  const [from, seeds] = [Number(values.from), Number(values.seeds)]
  const jobs = Math.min(Number(values.jobs ?? availableParallelism()), seeds)
  const shares = Array.from(
    { length: jobs },
    (_, first): Share => ({ from: from + first, to: from + seeds, by: jobs }),
  )
  const reports = await Promise.all(shares.map(report))
  const failures = reports.flatMap(({ failures: some }) => some).sort((a, b) => a.seed - b.seed)
  const total = (of: keyof Omit<Report, 'failures'>): number =>
    reports.reduce((sum, each) => sum + each[of], 0)
  for (const { seed, message } of failures.slice(0, 20)) {
    say([], `seed ${seed}: ${message}`, `  again: node src/testing/simulation/main.ts --seed ${seed} --trace`)
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  say(
    [],
    `${seeds} seeds, ${failures.length} failed: ${total('lives')} lives, ${total('calls')} calls, ${total('attempts')} attempts, ${total('triggered')} triggered runs, ${total('messages')} messages, ${total('steps')} steps in ${seconds} s`,
  )
  return failures.length === 0 ? 0 : 1
}

function report(share: Share): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./share.ts', import.meta.url), { workerData: share })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

function say(...parts: readonly (string | readonly string[])[]): void {
  process.stdout.write(`${parts.flat().join('\n')}\n`)
}
