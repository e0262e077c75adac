import { existsSync, mkdirSync } from 'node:fs'
import { nameFault } from '../../core/tree/name.ts'
import type { Workspace } from '../../ports/data.ts'
import { digestOf } from '../blobs/blob-files.ts'
import { inStore, refused } from '../files/failures.ts'
import { removeTree } from '../files/remove-tree.ts'

/** Directories of one attempt, empty; what an earlier one of that name left is removed. */
export function makeWorkspace(attempts: string, name: string): Workspace {
  const directory = `${attempts}/${directoryName(name)}`
  const scratch = `${directory}/scratch`
  const out = `${directory}/out`
  inStore(directory, () => {
    if (existsSync(directory)) removeTree(directory)
    for (const path of [directory, scratch, out]) mkdirSync(path)
  })
  return {
    scratch,
    output: (output) => {
      const fault = nameFault(output)
      if (fault !== undefined) throw refused(output, fault)
      return `${out}/${output}`
    },
    remove: async () => inStore(directory, () => removeTree(directory)),
  }
}

/** Short, since programs put sockets in it, whose paths may have a hundred characters; of plain letters, since shells are what they are. */
function directoryName(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,39}$/.test(name)) return name
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^\.+/, '')
  return `${plain.slice(0, 24)}-${digestOf(name).slice(0, 12)}`
}
