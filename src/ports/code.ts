import type { TaskSpec } from '../model/task.ts'
import type { Digest } from '../model/refs.ts'

/** Finds, loads and fingerprints code. */
export interface CodeSource {
  /**
   * Loads a workflow file and gives its exports. `almanac` in it is this very copy.
   * @throws ALM_LOAD_FAILED with file, line, column and reason; ALM_PYTHON_MISSING
   */
  load(file: string): Promise<LoadedFile>
  /** Digest of all that the task's code reaches. The same text of other tasks, comments and layout do not count. */
  fingerprint(task: TaskSpec): Promise<CodeFingerprint>
  close(): Promise<void>
}

export interface LoadedFile {
  readonly file: string
  readonly exports: Readonly<Record<string, unknown>>
  /** files that were read, for watching and for the run's code digest */
  readonly inputs: readonly string[]
  readonly digest: Digest
}

export interface CodeFingerprint {
  readonly digest: Digest
  /** what counts, by name (`steps.py:index`, `package:zod`, `requirements`), for `why` */
  readonly parts: Readonly<Record<string, Digest>>
  /** undeclared reads, names that cannot be followed: said once when the task is first used */
  readonly warnings: readonly string[]
}
