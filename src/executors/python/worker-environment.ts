import { hostEnvironment } from '../programs/task-files.ts'

/**
 * Environment variables of worker processes: what programs need to find their way on this machine, what makes the
 * interpreter fast, and what the task declared. Nothing else reaches a task, so that nothing undeclared can count.
 */

/** For the interpreter alone: taken away before the author's code runs, so that what it starts does not have them. */
const allocator: Readonly<Record<string, string>> = {
  // Arrays of 10 MB in fresh memory cost 11 ms of page faults each; kept memory costs nothing. `trim` gives it back.
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '1073741824',
  MALLOC_TRIM_THRESHOLD_: '4294967296',
}

/** There is a process for every core: libraries that start a thread for every core would only get in each other's way. */
const singleThreaded: Readonly<Record<string, string>> = {
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
}

/** How this machine is reached and reaches out; of no influence on what a task gives. */
const passed =
  /^(USER|LOGNAME|TMPDIR|TERM|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|NO|ALL|FTP)_PROXY|(https?|no|all|ftp)_proxy)$/

/** The variables of a worker, and those among them that are for its interpreter only. */
export function workerEnvironment(declared: Readonly<Record<string, string>>): {
  readonly env: Readonly<Record<string, string>>
  readonly unset: readonly string[]
} {
  const env: Record<string, string> = { ...hostEnvironment(), ...singleThreaded, ...allocator }
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && passed.test(name)) env[name] = value
  }
  return { env: { ...env, ...declared }, unset: Object.keys(allocator).filter((name) => !(name in declared)) }
}
