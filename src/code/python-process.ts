import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { AlmanacError } from '../model/errors.ts'
import type { Digest } from '../model/refs.ts'
import { condensed } from './parts.ts'
import type { Finding } from './warnings.ts'

/** What a Python function reaches, as it is kept. */
export interface PythonCount {
  readonly digest: Digest
  readonly parts: Readonly<Record<string, Digest>>
  readonly warnings: readonly string[]
  readonly findings: readonly Finding[]
}

export interface PythonResult extends PythonCount {
  /** digests of what was read, by path */
  readonly files: Readonly<Record<string, Digest>>
  /** files that would have changed it */
  readonly absent: readonly string[]
}

export interface PythonFailure {
  readonly failure: {
    readonly kind: 'file' | 'syntax' | 'function'
    readonly message: string
    readonly line?: number
    readonly column?: number
  }
}

export interface PythonFunction {
  readonly file: string
  readonly name: string
}

export type PythonAnswers = readonly (PythonResult | PythonFailure)[]

const script = fileURLToPath(new URL('../../python/almanac_worker/fingerprint/__init__.py', import.meta.url))

/**
 * As a module, so that Python keeps it compiled: in our own folder, wherever that lies. What it takes of the standard library
 * is compiled where that lies, and is not looked for there.
 */
const program =
  'import sys, ast, hashlib, importlib.machinery, json, typing; _, sys.pycache_prefix, place = sys.argv; ' +
  'sys.path.insert(0, place); from almanac_worker import fingerprint; fingerprint.run()'

/**
 * Asks one process about functions; answers are in their order.
 * @throws ALM_PYTHON_MISSING, also of one that is too old; ALM_PYTHON_BROKEN
 */
export async function askPython(
  python: string,
  folder: string,
  project: string,
  functions: readonly PythonFunction[],
): Promise<PythonAnswers> {
  const compiled = join(folder, 'compiled')
  const question = JSON.stringify({ project, functions: functions.map(({ file, name }) => [file, name]) })
  let said = await ask(python, compiled, question)
  if (said.exit !== 0) {
    // a disk that was full leaves compiled files that are cut off, which Python does not make again
    rmSync(compiled, { recursive: true, force: true, maxRetries: 3 })
    said = await ask(python, compiled, question)
  }
  const results = resultsOf(python, said)
  return results.map((one) =>
    'failure' in one ? one : { ...one, parts: Object.fromEntries(condensed(Object.entries(one.parts))) },
  )
}

interface Said {
  readonly out: string
  readonly problems: string
  readonly exit: number | null
}

async function ask(python: string, compiled: string, question: string): Promise<Said> {
  const options = ['-I', '-S', '-X', 'utf8', '-c', program, compiled, dirname(dirname(dirname(script)))]
  const child = spawn(python, options, { stdio: ['pipe', 'pipe', 'pipe'] })
  // a process that dies early closes its pipe: its exit code says more
  child.stdin.on('error', () => undefined)
  child.stdin.end(question)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve)
  })
  const [out, problems, exit] = await Promise.all([text(child.stdout), text(child.stderr), ended]).catch(
    (error: unknown) => {
      throw new AlmanacError('ALM_PYTHON_MISSING', { version: '3.10 or newer' }, { cause: error })
    },
  )
  return { out, problems, exit }
}

function resultsOf(python: string, { out, problems, exit }: Said): PythonAnswers {
  if (exit !== 0) {
    const last = problems.trim().split('\n').at(-1) ?? ''
    throw new AlmanacError('ALM_PYTHON_BROKEN', {
      python,
      why: `it ended with exit code ${exit}${last === '' ? '' : `: ${last}`}`,
    })
  }
  try {
    const { results } = JSON.parse(out) as { readonly results?: PythonAnswers }
    if (results !== undefined) return results
  } catch (error) {
    const why = `it answered ${JSON.stringify(out.slice(0, 60))}`
    throw new AlmanacError('ALM_PYTHON_BROKEN', { python, why }, { cause: error })
  }
  throw new AlmanacError('ALM_PYTHON_MISSING', { version: '3.10 or newer' })
}
