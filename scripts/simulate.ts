import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Report, Share } from '../src/testing/simulation/share.ts'
import { simulate } from '../src/testing/simulation/simulate.ts'
import { flag, whole } from './options/option.ts'
import { scriptOptions } from './options/script-options.ts'

/** Random programs, crashes and edits on the real engine, on all processors; or one of them again. */

const asked = scriptOptions({
  command: 'npm run simulate --',
  does: 'Random programs, crashes and edits on the real engine, each from a seed.',
  options: {
    seeds: whole('how many', 1000),
    from: whole('the first', 1),
    jobs: whole('so many at once, else one on each processor'),
    seed: whole('this one alone'),
    trace: flag('with all that happens in it'),
  },
})

process.exitCode = asked.seed === undefined ? await all() : await one(asked.seed)

async function one(seed: number): Promise<number> {
  const lines: string[] = []
  try {
    const summary = await simulate(seed, asked.trace ? (line) => lines.push(line()) : undefined)
    say(lines, `seed ${seed}: ${JSON.stringify(summary)}`)
    return 0
  } catch (error) {
    say(lines, `seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return 1
  }
}

async function all(): Promise<number> {
  const began = performance.now()
  const { from, seeds } = asked
  const jobs = Math.min(asked.jobs ?? availableParallelism(), seeds)
  const shares = Array.from(
    { length: jobs },
    (_, first): Share => ({ from: from + first, to: from + seeds, by: jobs }),
  )
  const reports = await Promise.all(shares.map(report))
  const failures = reports.flatMap(({ failures: some }) => some).sort((a, b) => a.seed - b.seed)
  const total = (of: keyof Omit<Report, 'failures'>): number =>
    reports.reduce((sum, each) => sum + each[of], 0)
  for (const { seed, message } of failures.slice(0, 20)) {
    say([], `seed ${seed}: ${message}`, `  again: npm run simulate -- --seed ${seed} --trace`)
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
    const worker = new Worker(new URL('../src/testing/simulation/share.ts', import.meta.url), {
      workerData: share,
    })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

function say(...parts: readonly (string | readonly string[])[]): void {
  process.stdout.write(`${parts.flat().join('\n')}\n`)
}
