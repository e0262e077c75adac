import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A file of what was found out and can be found out again: never wrong, sometimes missing. */

/** What it holds; nothing where it is missing or damaged. */
export function readCache(file: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return {}
  }
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.assign(Object.create(null) as Record<string, unknown>, value)
      : {}
  } catch {
    return {}
  }
}

/** Adds an entry, in place whole or not at all. Where it cannot be written the next process asks again. */
export function writeCache(file: string, key: string, entry: unknown): void {
  // processes of two containers may have one number
  const made = `${file}.${randomUUID()}`
  try {
    mkdirSync(dirname(file), { recursive: true })
    const entries = Object.entries({ ...readCache(file), [key]: entry })
    writeFileSync(made, JSON.stringify(Object.fromEntries(entries.slice(-maxEntries))))
    renameSync(made, file)
  } catch (error) {
    if (!harmless.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    if (existsSync(made)) rmSync(made)
  }
}

const harmless = new Set(['EACCES', 'EROFS', 'ENOSPC', 'EPERM', 'EDQUOT', 'EFBIG', 'ENOTDIR'])
const maxEntries = 200
