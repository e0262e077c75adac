/** Does jobs of a kind: synchronous work on many files, plain data in and out. */
export interface JobRunner<Job, Result> {
  /** In place: for little work, which would be done before a thread has started. */
  runHere(job: Job): Result
  run(job: Job): Promise<Result>
  /** Several at once; the first error ends the waiting, the others' results are dropped. */
  runAll(jobs: readonly Job[]): Promise<readonly Result[]>
  /** Jobs that are made when there is a thread for them; results in any order. */
  runEach<T>(
    items: Iterable<T>,
    jobOf: (item: T) => Job,
    use: (result: Result, item: T) => void,
  ): Promise<void>
}
