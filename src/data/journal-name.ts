import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { codeOf, inStore, isMissing } from './files/failures.ts'
import { ifThere } from './files/missing-files.ts'

/**
 * The name of this machine's journal among those that share a store: `<home>/journal-name`, made once.
 *
 * Y1 no two journals have the same one: what was copied with its folder is known by being another file, and is named
 *    anew.
 */
export function journalName(home: string): string {
  const path = join(home, 'journal-name')
  return inStore(path, () => {
    for (;;) {
      const found = nameIn(path)
      if (found !== undefined) return found
      make(home, path)
    }
  })
}

/** Undefined where none was made. */
export const knownJournalName = (home: string): string | undefined =>
  inStore(join(home, 'journal-name'), () => nameIn(join(home, 'journal-name')))

function nameIn(path: string): string | undefined {
  const file = ifThere(() => openSync(path, 'r'))
  if (file === undefined) return undefined
  try {
    const [name = '', place] = readFileSync(file, 'utf8').split('\n')
    return place === placeOf(file) && /^[0-9a-f-]{36}$/.test(name) ? name : undefined
  } finally {
    closeSync(file)
  }
}

/** What a copy has not got. */
function placeOf(file: number): string {
  const { ino, birthtimeMs } = fstatSync(file)
  return `${ino} ${Math.floor(birthtimeMs)}`
}

/** Of several processes the first one's stays. */
function make(home: string, path: string): void {
  mkdirSync(home, { recursive: true })
  const temporary = `${path}.${crypto.randomUUID()}.tmp`
  const file = openSync(temporary, 'wx')
  try {
    writeSync(file, `${crypto.randomUUID()}\n${placeOf(file)}\n`)
    // a copied one, or one that was cut off
    if (existsSync(path) && nameIn(path) === undefined) takeAway(path, `${temporary}.old`)
    linkSync(temporary, path)
  } catch (error) {
    // some file systems have no links
    if (codeOf(error) !== 'EEXIST') renameSync(temporary, path)
  } finally {
    closeSync(file)
    rmSync(temporary, { force: true })
  }
}

/** Another process may have put its own there meanwhile: what was moved is looked at again, and that put back. */
function takeAway(path: string, aside: string): void {
  try {
    renameSync(path, aside)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  try {
    if (nameIn(aside) !== undefined) linkSync(aside, path)
  } finally {
    rmSync(aside, { force: true })
  }
}
