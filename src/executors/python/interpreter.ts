import { execFile } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import { findProgram } from '../programs/find-program.ts'
import { readCache, writeCache } from './cache-file.ts'
import { cacheDirectory } from './environment-options.ts'

/** A Python interpreter of the machine. */
export interface Interpreter {
  /** the program itself, not a script that chooses one */
  readonly python: string
  /** `3.11.7` */
  readonly version: string
  /** `linux-x86_64-glibc`: what packages are built for */
  readonly platform: string
}

const oldest = [3, 10] as const
const names = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10']

/**
 * The interpreter of that name or path; without one, that of `ALMANAC_PYTHON`, or the first of the machine that is new
 * enough. What was asked of an interpreter is kept by the stat of its file, so that the next process need not start it.
 * @throws ALM_PYTHON_MISSING
 */
export async function findPython(name: string | undefined, options: FindOptions = {}): Promise<Interpreter> {
  const tooOld: string[] = []
  const chosen = chosenPython(name)
  for (const path of programs(chosen, options)) {
    const found = await ask(path, cacheFileOf(options))
    if (found === undefined) continue
    if (isNewEnough(found.version)) return found
    tooOld.push(`${path} is ${found.version}`)
  }
  const wanted = chosen ?? `${oldest.join('.')} or newer`
  throw new AlmanacError('ALM_PYTHON_MISSING', {
    version: tooOld.length === 0 ? wanted : `${wanted} (${tooOld[0]})`,
  })
}

/** The same, if it was found before and nothing has to be asked. */
export function knownPython(name: string | undefined, options: FindOptions = {}): Interpreter | undefined {
  for (const path of programs(chosenPython(name), options)) {
    const found = known(path, stampOf(path), cacheFileOf(options))
    if (found === undefined || isNewEnough(found.version)) return found
  }
  return undefined
}

interface FindOptions {
  readonly cacheDir?: string
  /** directory that paths begin in */
  readonly from?: string
}

/** The one that a program in Python asks from, or that its user chose. */
const chosenPython = (name: string | undefined): string | undefined =>
  name ?? (process.env['ALMANAC_PYTHON'] || undefined)

/** Paths of what may be meant, best first. */
function* programs(chosen: string | undefined, { from = '.' }: FindOptions): Iterable<string> {
  for (const one of chosen === undefined ? names : [chosen]) {
    const program = findProgram(one, from, process.env['PATH'] ?? '')
    if ('path' in program) yield program.path
  }
}

const cacheFileOf = ({ cacheDir = cacheDirectory() }: FindOptions): string =>
  join(cacheDir, 'interpreters.json')

/** `3.11` */
export const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.')

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major === oldest[0] && minor >= oldest[1]
}

async function ask(path: string, cacheFile: string): Promise<Interpreter | undefined> {
  const stamp = stampOf(path)
  const before = known(path, stamp, cacheFile)
  if (before !== undefined) return before
  const found = await run(path)
  if (found !== undefined) writeCache(cacheFile, path, { stamp, found })
  return found
}

function known(path: string, stamp: string, cacheFile: string): Interpreter | undefined {
  const entry = readCache(cacheFile)[path]
  return isEntry(entry) && entry.stamp === stamp && existsSync(entry.found.python) ? entry.found : undefined
}

interface Entry {
  readonly stamp: string
  readonly found: Interpreter
}

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' &&
  value !== null &&
  'stamp' in value &&
  'found' in value &&
  typeof value.found === 'object' &&
  value.found !== null &&
  ['python', 'version', 'platform'].every(
    (name) => typeof Object.entries(value.found ?? {}).find(([key]) => key === name)?.[1] === 'string',
  )

/** Changes when the program does, or what a version manager's script goes by. */
function stampOf(path: string): string {
  const { mtimeMs, ctimeMs, size, ino } = statSync(path)
  const stat = [mtimeMs, ctimeMs, size, ino].join(' ')
  return isScript(path) ? `${stat} ${versionChoice()}` : stat
}

function isScript(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(2)
    return readSync(file, head, 0, 2, 0) === 2 && head.toString('latin1') === '#!'
  } finally {
    closeSync(file)
  }
}

/** What pyenv, asdf and mise choose by: variables, and files in this directory and those above. */
function versionChoice(): string {
  const parts = ['PYENV_VERSION', 'ASDF_PYTHON_VERSION', 'MISE_PYTHON_VERSION'].map(
    (name) => process.env[name] ?? '',
  )
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    for (const name of ['.python-version', '.tool-versions', 'mise.toml']) {
      const text = textOf(join(directory, name))
      // how deep the directory lies is no choice
      if (text !== '') parts.push(text)
    }
    if (directory === dirname(directory)) break
  }
  const home = process.env['HOME'] ?? ''
  parts.push(
    textOf(join(process.env['PYENV_ROOT'] ?? join(home, '.pyenv'), 'version')),
    textOf(join(home, '.tool-versions')),
  )
  return parts.join('\0')
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const question = `
import json, os, platform, sys
print(json.dumps({
    "python": sys.executable,
    "version": "%d.%d.%d" % sys.version_info[:3],
    "platform": "-".join(filter(None, (sys.platform, platform.machine(), platform.libc_ver()[0]))),
}))
`

/** Undefined where it does not run at all. */
function run(path: string): Promise<Interpreter | undefined> {
  return new Promise((settle) => {
    execFile(path, ['-I', '-c', question], { timeout: 30_000, encoding: 'utf8' }, (error, stdout) => {
      if (error !== null) {
        settle(undefined)
        return
      }
      try {
        const found: unknown = JSON.parse(stdout)
        settle(isEntry({ stamp: '', found }) ? (found as Interpreter) : undefined)
      } catch {
        settle(undefined)
      }
    })
  })
}
