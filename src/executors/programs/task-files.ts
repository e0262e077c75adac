import { chmodSync, closeSync, constants, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Attempt } from '../../ports/executor.ts'
import type { ReadResult } from '../results.ts'
import { nested } from './nesting.ts'
import { isPathRef, pathOf, plainJson } from './task-values.ts'

/** The language-agnostic interface of programs: files in the attempt's scratch directory, and `ALMANAC_*`. */
export interface TaskFiles {
  readonly params: string
  readonly result: string
  readonly events: string
}

/** What a program is told of its attempt: in a container some of it is elsewhere. */
export type ToldAttempt = Pick<
  Attempt,
  'inputs' | 'outputs' | 'scratch' | 'env' | 'run' | 'call' | 'attempt' | 'idempotencyKey' | 'logicalTime'
>

/** Where the files of an attempt lie; whatever Almanac itself puts into a scratch directory has this prefix. */
export const taskFile = (attempt: Pick<Attempt, 'scratch'>, name: string): string =>
  join(attempt.scratch, `.almanac-${name}`)

/** Where they are, be they there or not. */
export const taskFilesOf = (attempt: Pick<Attempt, 'scratch'>): TaskFiles => ({
  params: taskFile(attempt, 'params.json'),
  result: taskFile(attempt, 'result.json'),
  events: taskFile(attempt, 'events.jsonl'),
})

/** Writes the file of parameters. @throws ALM_VALUE_REFUSED, or what the file system says */
export function makeTaskFiles(attempt: Pick<Attempt, 'scratch' | 'inputs'>): TaskFiles {
  const files = taskFilesOf(attempt)
  writeFileSync(files.params, JSON.stringify(plainJson(attempt.inputs, 'input')), { mode: 0o600 })
  return files
}

/** Another user than this one reads and writes what is the attempt's. */
export function shareTaskFiles({ scratch, outputs }: Attempt, files: TaskFiles): void {
  const folders = new Set([scratch, ...Object.values(outputs).map((path) => dirname(path))])
  for (const folder of folders) chmodSync(folder, 0o777)
  for (const path of [files.params, files.events]) chmodSync(path, 0o666)
}

/** What of the host's environment a program needs to find its way on this machine. */
export interface HostEnvironment {
  readonly PATH: string
  readonly HOME: string
  readonly LANG: string
  readonly ALMANAC_NESTING?: string
}

export function hostEnvironment(): HostEnvironment {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME = '/', LANG = 'C.UTF-8' } = process.env
  return { PATH, HOME, LANG, ...nested() }
}

/** The whole environment of a program: nothing undeclared reaches it, because it would not count. */
export function taskEnvironment(
  attempt: ToldAttempt,
  files: TaskFiles,
  host: Partial<HostEnvironment>,
): Record<string, string> {
  const paths: Record<string, string> = {}
  for (const [name, value] of Object.entries(attempt.inputs)) {
    if (isPathRef(value)) paths[`ALMANAC_IN_${variable(name)}`] = pathOf(value, name)
  }
  for (const [name, path] of Object.entries(attempt.outputs)) paths[`ALMANAC_OUT_${variable(name)}`] = path
  return {
    ...host,
    TMPDIR: attempt.scratch,
    ...attempt.env,
    ...paths,
    ALMANAC_PARAMS: files.params,
    ALMANAC_RESULT: files.result,
    ALMANAC_EVENTS: files.events,
    ALMANAC_RUN: attempt.run,
    ALMANAC_CALL: String(attempt.call),
    ALMANAC_ATTEMPT: String(attempt.attempt),
    ALMANAC_IDEMPOTENCY_KEY: attempt.idempotencyKey,
    ALMANAC_LOGICAL_TIME: new Date(attempt.logicalTime).toISOString(),
  }
}

/** Names of inputs and outputs may hold `-` and `.`, which no shell can say in a variable. */
const variable = (name: string): string => name.replace(/[^A-Za-z0-9_]/g, '_')

/** What the program left at `ALMANAC_RESULT`: hostile until read, be it a pipe, a link or a disk full of zeros. */
export function readResult(path: string, maxBytes: number): ReadResult {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT'
      ? { kind: 'absent' }
      : { kind: 'refused', why: `ALMANAC_RESULT cannot be read: ${message}` }
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return { kind: 'refused', why: 'ALMANAC_RESULT is no file' }
    if (stat.size > maxBytes) return { kind: 'too-large' }
    const text = readFileSync(fd, 'utf8')
    return text.trim() === '' ? { kind: 'absent' } : { kind: 'json', json: JSON.parse(text) }
  } catch (error) {
    return { kind: 'refused', why: `ALMANAC_RESULT is no JSON: ${(error as Error).message}` }
  } finally {
    closeSync(fd)
  }
}
