import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'

/** A requirements file and all that it includes. */
export interface Requirements {
  /** what is installed, line by line, with absolute paths */
  readonly install: readonly string[]
  readonly constraints: readonly string[]
  /** what counts: the same lines with local files by content, not by place */
  readonly counted: readonly string[]
}

/**
 * Reads a requirements file as pip does: comments and empty lines do not count, other files that it names are
 * followed, archives on this machine count by content. Directories are refused: their content is not settled.
 * @throws ALM_PYTHON_ENV, naming file and line
 */
export function readRequirements(file: string): Requirements {
  const reading: Reading = { root: file, install: [], constraints: [], counted: [], open: [] }
  read(file, 'install', reading)
  return reading
}

interface Reading {
  readonly root: string
  readonly install: string[]
  readonly constraints: string[]
  readonly counted: string[]
  /** files that are being read, outermost first */
  readonly open: string[]
}

type Target = 'install' | 'constraints'

function read(file: string, target: Target, into: Reading): void {
  if (into.open.includes(file)) throw failed(into, `${file} includes itself`)
  into.open.push(file)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw failed(
      into,
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? `${file} does not exist`
        : (error as Error).message,
    )
  }
  for (const { line, number } of linesOf(text)) take(line, file, number, target, into)
  into.open.pop()
}

function take(line: string, file: string, number: number, target: Target, into: Reading): void {
  const at = `${file}:${number}`
  const [, flag = '', value = ''] = /^(--?[\w-]+?)(?:\s+|=|(?<=^-[rcef]))(\S.*)$/.exec(line) ?? []
  const add = (install: string, counted = install) => {
    into[target].push(install)
    into.counted.push(target === 'install' ? counted : `constraint ${counted}`)
  }
  switch (flag) {
    case '-r':
    case '--requirement':
    case '-c':
    case '--constraint': {
      if (/^\w+:\/\//.test(value))
        throw failed(into, `${at}: ${value} is not on this machine; copy it beside the file`)
      const next = flag.startsWith('-c') || flag === '--constraint' ? 'constraints' : target
      read(resolve(dirname(file), value), next, into)
      return
    }
    case '-e':
    case '--editable':
      throw failed(into, `${at}: an editable requirement changes after it was installed; build a wheel of it`)
    case '-f':
    case '--find-links':
      add(isRemote(value) ? line : `--find-links ${resolve(dirname(file), value)}`, `--find-links ${value}`)
      return
  }
  if (line.startsWith('-')) {
    add(line)
    return
  }
  const local = localPath(line, at, into)
  if (local === undefined) add(line)
  else addLocal(local, file, at, into, add)
}

/** The path in a line that names a file of this machine, and what follows it. */
function localPath(
  line: string,
  at: string,
  into: Reading,
): { readonly name: string; readonly path: string; readonly rest: string } | undefined {
  const [, name = '', spec = '', rest = ''] = /^(?:([\w.[\],-]+)\s*@\s*)?(\S+)(.*)$/.exec(line) ?? []
  if (spec.startsWith('file:')) {
    const path = spec.replace(/^file:(\/\/(localhost)?(?=\/))?/, '').replace(/#.*$/, '')
    try {
      return { name, path: decodeURIComponent(path), rest }
    } catch {
      throw failed(into, `${at}: ${path} is no URL: write %25 for a % that stands for itself`)
    }
  }
  if (name !== '' || isRemote(spec)) return undefined
  const looksLocal = /^[./~]/.test(spec) || spec.includes('/') || /\.(whl|zip|tar\.\w+|tgz)$/.test(spec)
  return looksLocal ? { name, path: spec, rest } : undefined
}

function addLocal(
  local: { readonly name: string; readonly path: string; readonly rest: string },
  file: string,
  at: string,
  into: Reading,
  add: (install: string, counted?: string) => void,
): void {
  const path = resolve(dirname(file), local.path)
  let bytes: Buffer
  try {
    if (statSync(path).isDirectory()) {
      throw failed(into, `${at}: ${local.path} is a directory, whose content may change; build a wheel of it`)
    }
    bytes = readFileSync(path)
  } catch (error) {
    if (error instanceof AlmanacError) throw error
    throw failed(into, `${at}: ${local.path} cannot be read: ${(error as Error).message}`)
  }
  const digest = createHash('sha256').update(bytes).digest('hex')
  const name = local.name === '' ? '' : `${local.name} @ file://`
  add(`${name}${path}${local.rest}`, `${local.name} ${basename(path)} sha256:${digest}${local.rest}`)
}

const isRemote = (spec: string): boolean => /^[\w+]+:\/\//.test(spec)

/** Lines with something in them: continued ones joined, comments cut off. */
function* linesOf(text: string): Generator<{ readonly line: string; readonly number: number }> {
  let joined = ''
  let number = 0
  let first = 1
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    number += 1
    if (joined === '') first = number
    if (raw.endsWith('\\') && !/(^|\s)#/.test(raw)) {
      joined += `${raw.slice(0, -1)} `
      continue
    }
    const line = (joined + raw)
      .replace(/(^|\s+)#.*$/, '')
      .trim()
      .replace(/\s+/g, ' ')
    joined = ''
    if (line !== '') yield { line, number: first }
  }
  if (joined.trim() !== '') yield { line: joined.trim(), number: first }
}

const failed = (into: Reading, why: string): AlmanacError =>
  new AlmanacError('ALM_PYTHON_ENV', { file: into.root, why })
