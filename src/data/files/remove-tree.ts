import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { codeOf } from './failures.ts'

/** Removes a directory of ours, read-only ones in it as well; nothing happens where there is none. */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (error) {
    if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EPERM') throw error
    allowRemoval(path)
    rmSync(path, { recursive: true, force: true })
  }
}

function allowRemoval(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return
  chmodSync(path, 0o700)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) allowRemoval(`${path}/${entry.name}`)
  }
}
