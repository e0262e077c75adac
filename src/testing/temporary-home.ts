import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for a journal, and nobody else. */
export interface TemporaryHome {
  readonly path: string
  remove(): Promise<void>
}

export async function temporaryHome(): Promise<TemporaryHome> {
  compileOnce()
  const path = await mkdtemp(join(tmpdir(), 'almanac-home-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Threads and programs that a test starts from sources would each compile them anew, which takes most of its time. */
function compileOnce(): void {
  process.env['NODE_COMPILE_CACHE'] ??= join(process.cwd(), 'node_modules', '.cache', 'almanac', 'compiled')
}
