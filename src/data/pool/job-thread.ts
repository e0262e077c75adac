import { parentPort } from 'node:worker_threads'
import { failureOf } from '../jobs/failure.ts'
import type { Answer, Job } from './job.ts'
import { runJob } from './job.ts'

/** A thread of the pool: one job after the other. */
parentPort?.on('message', (job: Job) => {
  parentPort?.postMessage(answer(job))
})

function answer(job: Job): Answer {
  try {
    return { kind: 'done', result: runJob(job) }
  } catch (error) {
    return { kind: 'failed', failure: failureOf(error) }
  }
}
