import type { AssignedJobs } from './assigned-jobs.ts'

/** What workers have of the places of runs. */
export interface HasPlaces {
  readonly jobs: AssignedJobs
}

/** Places that are free go to attempts that wait in workers; where some have more than their share, others get it. */
export function balance(workers: Iterable<HasPlaces>, size: number): void {
  const all = [...workers]
  for (const { jobs } of all) {
    const run = jobs.wanting
    if (run === undefined) continue
    const share = Math.ceil(run.places / size)
    jobs.grow(share)
    for (const other of all) {
      if (jobs.wanting === undefined || jobs.width >= share) break
      if (other.jobs !== jobs && other.jobs.shrink(run, share)) jobs.grow(share)
    }
  }
  for (const { jobs } of all) if (jobs.wanting !== undefined) jobs.grow(Number.POSITIVE_INFINITY)
}
