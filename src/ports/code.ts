import type { Digest } from '../model/refs.ts'
import type { TaskSpec } from '../model/task.ts'

/** Finds, loads and fingerprints code. */
export interface CodeSource {
  /**
   * Loads a workflow file and gives its exports. `almanac` in it is this very copy. The same files give the same
   * exports within a process; files that changed are loaded anew.
   * @throws ALM_LOAD_FAILED with file, line, column and reason; ALM_STORE_FULL, ALM_STORE_READ_ONLY
   */
  load(file: string): Promise<LoadedFile>
  /**
   * Digest of all that the task's code reaches. The same text of other tasks, comments and layout do not count.
   * A function is found by where it was defined (`definedAt`), and counts as it was loaded; Python counts as its
   * files are now, so ask once a run. Calls made in one turn of the event loop share one Python process.
   * @throws ALM_LOAD_FAILED, ALM_TASK_NOT_FOUND, ALM_PYTHON_MISSING, ALM_INPUT_CHANGED
   */
  fingerprint(task: TaskSpec): Promise<CodeFingerprint>
  /** What `fingerprint` would give, where that is known without waiting. Never throws: `fingerprint` says why not. */
  known(task: TaskSpec): CodeFingerprint | undefined
  /**
   * Is the task's code still what was counted as `digest`? Said at once where no file of it was touched since; what
   * counts as it was loaded always is. `unreadable` is what cannot be counted now: a file is gone, or is being written.
   */
  isStill(task: TaskSpec, digest: Digest): boolean | Promise<boolean | 'unreadable'>
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
  /** what counts, by name (`steps.py:index`, `package:zod`, `import:numpy`), for `why` */
  readonly parts: Readonly<Record<string, Digest>>
  /** undeclared reads, names that cannot be followed: said once when the task is first used */
  readonly warnings: readonly string[]
}
