import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { DataPlane } from '../ports/data.ts'
import type { DataPlace } from './contracts/data-fixture.ts'
import { removeAll, temporaryHome } from './temporary-home.ts'

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
      makeOpen(dirname(path))
      if (existsSync(path)) chmodSync(path, 0o644)
      writeFileSync(path, text)
      chmodSync(path, executable === true ? 0o755 : 0o644)
    },
    makeDirectory: makeOpen,
    remove: (path) => {
      chmodSync(dirname(path), 0o755)
      removeAll(path)
    },
    read: (path) => (existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined),
    isDirectory: (path) => existsSync(path) && statSync(path).isDirectory(),
    dispose: () => temporary.remove(),
  }
}

/** A directory to write in; as the owner of everything may, one that was read only is so no longer. */
function makeOpen(path: string): void {
  if (!existsSync(path)) {
    makeOpen(dirname(path))
    mkdirSync(path)
  } else if ((statSync(path).mode & 0o200) === 0) chmodSync(path, 0o755)
}
