import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { PythonEnvSpec } from '../../model/task.ts'
import { findProgram } from '../programs/find-program.ts'
import type { EnvironmentOptions } from './environment-options.ts'
import { cacheDirectory } from './environment-options.ts'
import type { Interpreter } from './interpreter.ts'
import { findPython, knownPython, minorOf } from './interpreter.ts'
import type { Requirements } from './requirements.ts'
import { readRequirements } from './requirements.ts'

/**
 * Python environments: one per content of the requirements, minor version of the interpreter and platform, made once
 * on a machine and never changed. Nothing is owned here: the file system is what is known of them.
 */

/** An environment that is there. */
export interface PythonEnv {
  readonly python: string
  readonly digest: Digest
  /** of its interpreter: `3.11.7` */
  readonly version: string
}

/**
 * What counts of an environment, found without making it: requirements, interpreter's minor version, platform.
 * @throws ALM_PYTHON_MISSING, ALM_PYTHON_ENV
 */
export async function pythonEnvDigest(
  spec: PythonEnvSpec,
  options: EnvironmentOptions = {},
): Promise<Digest> {
  return (await plan(spec, options)).digest
}

/** The same, where the interpreter is known already. @throws ALM_PYTHON_ENV */
export function knownEnvDigest(spec: PythonEnvSpec, options: EnvironmentOptions = {}): Digest | undefined {
  const cacheDir = options.cacheDir ?? cacheDirectory()
  const interpreter = knownPython(spec.python, { cacheDir, from: dirname(spec.requirements) })
  return interpreter && digestOf(readRequirements(spec.requirements), interpreter)
}

/** The environment, made now if it is not there. @throws ALM_PYTHON_MISSING, ALM_PYTHON_ENV */
export async function ensurePythonEnv(
  spec: PythonEnvSpec,
  options: EnvironmentOptions = {},
): Promise<PythonEnv> {
  const planned = await plan(spec, options)
  const { digest, interpreter, directory } = planned
  const env = { python: join(directory, 'bin', 'python'), digest, version: interpreter.version }
  const known = markedVersion(planned)
  if (known !== undefined) return { ...env, version: known }
  await build(spec, planned, options)
  return { ...env, version: markedVersion(planned) ?? interpreter.version }
}

interface Plan {
  readonly digest: Digest
  readonly interpreter: Interpreter
  readonly requirements: Requirements
  readonly directory: string
  readonly marker: string
}

async function plan(spec: PythonEnvSpec, options: EnvironmentOptions): Promise<Plan> {
  const cacheDir = options.cacheDir ?? cacheDirectory()
  const requirements = readRequirements(spec.requirements)
  const interpreter = await findPython(spec.python, { cacheDir, from: dirname(spec.requirements) })
  const digest = digestOf(requirements, interpreter)
  // scripts begin with the interpreter's path, which must not be long
  const directory = join(cacheDir, 'envs', digest.slice(0, 32))
  return { digest, interpreter, requirements, directory, marker: join(directory, 'almanac-env.json') }
}

function digestOf(requirements: Requirements, { version, platform }: Interpreter): Digest {
  const counted = [format, minorOf(version), platform, ...requirements.counted]
  return createHash('sha256').update(JSON.stringify(counted)).digest('hex')
}

/** part of the digest: another one makes all environments anew */
const format = 'env-1'

/** The interpreter's version, if the environment is there as a whole. */
function markedVersion(planned: Plan): string | undefined {
  try {
    const marker: unknown = JSON.parse(readFileSync(planned.marker, 'utf8'))
    // the interpreter is a link: it may have been removed from the machine
    statSync(join(planned.directory, 'bin', 'python'))
    if (typeof marker !== 'object' || marker === null || !('digest' in marker) || !('version' in marker))
      return undefined
    return marker.digest === planned.digest && typeof marker.version === 'string' ? marker.version : undefined
  } catch {
    return undefined
  }
}

async function build(spec: PythonEnvSpec, planned: Plan, options: EnvironmentOptions): Promise<void> {
  const job = {
    name: `the Python environment of ${basename(spec.requirements)}`,
    directory: planned.directory,
    marker: planned.marker,
    cwd: dirname(spec.requirements),
    uv: programOnPath('uv'),
    means: options.means ?? ['uv', 'pip', 'venv', 'index'],
    requirements: text(planned.requirements.install),
    constraints: text(planned.requirements.constraints),
    about: { digest: planned.digest, version: planned.interpreter.version },
  }
  const failed = (why: string) => new AlmanacError('ALM_PYTHON_ENV', { file: spec.requirements, why })
  const end = await run(planned.interpreter.python, JSON.stringify(job), options)
  if ('failed' in end) throw failed(end.failed)
  if (markedVersion(planned) === undefined) throw failed(`${planned.directory} is not as it was made`)
}

function programOnPath(name: string): string | null {
  const found = findProgram(name, '.', process.env['PATH'] ?? '')
  return 'path' in found ? found.path : null
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

const builder = fileURLToPath(new URL('../../../python/build_env.py', import.meta.url))

/** Runs the builder; its last line says how it ended. */
function run(
  python: string,
  job: string,
  options: EnvironmentOptions,
): Promise<{ failed: string } | { made: boolean }> {
  return new Promise((resolve) => {
    // a group of its own: with its standard input closed it ends all that it started
    const child = spawn(python, ['-I', '-X', 'utf8', builder], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    let end: { failed: string } | { made: boolean } | undefined
    let said = ''
    createInterface({ input: child.stdout }).on('line', (line) => {
      const parsed = line.startsWith('{') ? endOf(line) : undefined
      if (parsed === undefined) options.onProgress?.(line)
      else end = parsed
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000)
    })
    child.on('error', (error) => resolve({ failed: error.message }))
    child.stdin.on('error', () => undefined)
    child.stdin.write(`${job}\n`)
    const abort = () => child.stdin.end()
    if (options.signal?.aborted) abort()
    options.signal?.addEventListener('abort', abort, { once: true })
    child.on('close', (code, signal) => {
      options.signal?.removeEventListener('abort', abort)
      resolve(
        end ?? {
          failed: options.signal?.aborted ? 'it was cancelled' : said || `${signal ?? `exit code ${code}`}`,
        },
      )
    })
  })
}

function endOf(line: string): { failed: string } | { made: boolean } | undefined {
  try {
    const end: unknown = JSON.parse(line)
    if (typeof end !== 'object' || end === null) return undefined
    if ('failed' in end && typeof end.failed === 'string') return { failed: end.failed }
    return 'made' in end ? { made: end.made === true } : undefined
  } catch {
    return undefined
  }
}
