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
  readonly triggered: number
  readonly messages: number
}

const { from, to, by } = workerData as Share
const failures: { seed: number; message: string }[] = []
const sum = { lives: 0, calls: 0, attempts: 0, steps: 0, triggered: 0, messages: 0 }
for (let seed = from; seed < to; seed += by) {
  try {
    const { state: _, ...of } = await simulate(seed)
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += of[name]
  } catch (error) {
    failures.push({ seed, message: error instanceof Error ? error.message : String(error) })
  }
}
parentPort?.postMessage({ failures, ...sum } satisfies Report)
