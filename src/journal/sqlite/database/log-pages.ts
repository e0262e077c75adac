import { closeSync, openSync, readSync } from 'node:fs'

const headerBytes = 32
const frameHeaderBytes = 24

/**
 * Pages behind the first `there` ones that a write-ahead log has, by its frames that belong together: those behind
 * them are left from earlier rounds. No lock is on the log, so that it may be opened and closed beside SQLite.
 */
export function pagesInLog(path: string, pageSize: number, there: number): number {
  let handle: number
  try {
    handle = openSync(path, 'r')
  } catch {
    return 0
  }
  try {
    const header = Buffer.alloc(headerBytes)
    const frame = Buffer.alloc(frameHeaderBytes)
    const found = new Set<number>()
    readSync(handle, header, 0, headerBytes, 0)
    for (let at = headerBytes; ; at += frameHeaderBytes + pageSize) {
      const isWhole = readSync(handle, frame, 0, frameHeaderBytes, at) === frameHeaderBytes
      // the salt of this round
      if (!isWhole || !frame.subarray(8, 16).equals(header.subarray(16, 24))) return found.size
      const page = frame.readUInt32BE(0)
      if (page > there) found.add(page)
    }
  } finally {
    closeSync(handle)
  }
}
