import { randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import { sha256 } from './sha256.ts'

/**
 * The folder `code` of Almanac's home: bundles that are imported, and what is known of code so that it need not
 * be worked out again. All of it may be deleted at any time.
 *
 * H1 a file is put in place whole, or not at all; several processes may write the same.
 * H2 what was not written by this format, or was damaged, is not there.
 * H3 the folder is bounded: the files that were written longest ago go first.
 * H4 where it may not be written, nothing is remembered: who only looks works it out again.
 */
export class CodeCache {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name))
  }

  /** Undefined where there is none, or none that can be used. */
  read(name: string): unknown {
    let text: string
    try {
      text = readFileSync(join(this.folder, name), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw cannot(this.folder, error)
    }
    const end = text.indexOf('\n')
    const body = text.slice(end + 1)
    return text.slice(0, end) === `${format} ${sha256(body)}` ? (JSON.parse(body) as unknown) : undefined
  }

  /** @throws ALM_STORE_FULL, ALM_STORE_FAILED */
  write(name: string, value: unknown): void {
    const body = JSON.stringify(value)
    try {
      this.writeText(name, `${format} ${sha256(body)}\n${body}`)
    } catch (error) {
      if (!isAlmanacError(error) || error.code !== 'ALM_STORE_READ_ONLY') throw error
    }
  }

  /** Gives the path. @throws as `write`, and ALM_STORE_READ_ONLY: what is to be imported must lie somewhere */
  writeText(name: string, text: string): string {
    const path = join(this.folder, name)
    const made = `${path}.${randomUUID()}.tmp`
    try {
      mkdirSync(this.folder, { recursive: true })
      try {
        writeFileSync(made, text)
        renameSync(made, path)
      } finally {
        rmSync(made, { force: true })
      }
      this.#sweep()
    } catch (error) {
      throw cannot(this.folder, error)
    }
    return path
  }

  #sweep(): void {
    const names = readdirSync(this.folder)
    if (names.length <= mostFiles) return
    const aged = names.map((name) => {
      const path = join(this.folder, name)
      return { path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }
    })
    aged.sort((a, b) => a.at - b.at)
    // what Python keeps compiled may be written to meanwhile
    for (const { path } of aged.slice(0, names.length - keptFiles))
      rmSync(path, { force: true, recursive: true, maxRetries: 3 })
  }
}

/** Changes with the form of what is kept. */
const format = 'almanac-code-3'

const mostFiles = 500
const keptFiles = 300

function cannot(folder: string, error: unknown): AlmanacError {
  const { code, message } = error as NodeJS.ErrnoException
  const details = { path: folder, why: message }
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new AlmanacError('ALM_STORE_FULL', details, { cause: error })
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new AlmanacError('ALM_STORE_READ_ONLY', details, { cause: error })
  }
  return new AlmanacError('ALM_STORE_FAILED', details, { cause: error })
}
