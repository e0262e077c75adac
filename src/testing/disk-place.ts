import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { DataPlane } from '../ports/data.ts'
import type { DataPlace } from './data-fixture.ts'
import { temporaryHome } from './temporary-home.ts'

/** A data place on the disk: a temporary directory with `.almanac`, `data` and `outside` in it. */
export interface DiskPlace extends DataPlace {
  readonly root: string
}

export async function diskPlace(open: (root: string) => Promise<DataPlane>): Promise<DiskPlace> {
  const temporary = await temporaryHome()
  const root = realpathSync(temporary.path)
  mkdirSync(`${root}/outside`)
  return {
    root,
    outside: `${root}/outside`,
    open: () => open(root),
    write: (path, text, executable) => {
      mkdirSync(dirname(path), { recursive: true })
      // as the owner of everything may
      if (existsSync(path)) chmodSync(path, 0o644)
      writeFileSync(path, text)
      chmodSync(path, executable === true ? 0o755 : 0o644)
    },
    makeDirectory: (path) => mkdirSync(path, { recursive: true }),
    remove: (path) => rmSync(path, { recursive: true }),
    read: (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined),
    isDirectory: (path) => existsSync(path) && statSync(path).isDirectory(),
    dispose: () => {
      openDirectories(root)
      return temporary.remove()
    },
  }
}

/** What is read only cannot be emptied. */
function openDirectories(path: string): void {
  chmodSync(path, 0o755)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) openDirectories(`${path}/${entry.name}`)
  }
}
