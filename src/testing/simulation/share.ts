import { parentPort, workerData } from 'node:worker_threads'
import { simulate } from './simulate.ts'

/** Seeds that one thread simulates: every so many-th. */
export interface Share {
  readonly from: number
  readonly to: number
  readonly by: number
}

export interface Report {
  readonly failures: readonly { readonly seed: number; readonly message: string }[]
  readonly lives: number
  readonly calls: number
  readonly attempts: number
  readonly steps: number
}

const { from, to, by } = workerData as Share
const failures: { seed: number; message: string }[] = []
const sum = { lives: 0, calls: 0, attempts: 0, steps: 0 }
for (let seed = from; seed < to; seed += by) {
  try {
    const { lives, calls, attempts, steps } = await simulate(seed)
    sum.lives += lives
    sum.calls += calls
    sum.attempts += attempts
    sum.steps += steps
  } catch (error) {
    failures.push({ seed, message: error instanceof Error ? error.message : String(error) })
  }
}
parentPort?.postMessage({ failures, ...sum } satisfies Report)
