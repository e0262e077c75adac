import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for a journal, and nobody else. */
export interface TemporaryHome {
  readonly path: string
  remove(): Promise<void>
}

export async function temporaryHome(): Promise<TemporaryHome> {
  const path = await mkdtemp(join(tmpdir(), 'almanac-home-'))
  return { path, remove: async () => removeAll(path) }
}

/** With what is read only, too, which only the superuser may empty as it is. */
export function removeAll(path: string): void {
  openDirectories(path)
  rmSync(path, { recursive: true, force: true })
}

function openDirectories(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return
  chmodSync(path, 0o755)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) openDirectories(`${path}/${entry.name}`)
  }
}
