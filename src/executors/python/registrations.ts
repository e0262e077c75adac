import type { Job } from '../jobs/job.ts'

/** Functions and runs that a worker was told of. Owns which: each is told of once, before its first attempt. */
export class Registrations {
  readonly #functions = new Set<number>()
  readonly #runs = new Set<number>()

  /** What the worker has to be told before the job. */
  of({ function: fn, run }: Job): readonly (readonly unknown[])[] {
    if (this.#functions.has(fn.id) && this.#runs.has(run.id)) return nothing
    const messages: (readonly unknown[])[] = []
    if (!this.#functions.has(fn.id)) messages.push(fn.message)
    if (!this.#runs.has(run.id)) messages.push(['of', run.id, run.name])
    this.#functions.add(fn.id)
    this.#runs.add(run.id)
    return messages
  }
}

const nothing: readonly (readonly unknown[])[] = []
