import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, resolve } from 'node:path'

/**
 * Loaded into a process before anything else: a disk that refuses what is written below `BROKEN_DISK` from the moment
 * that the file `broken` lies there, as the system would. For machines that let nobody mount a disk of their own.
 */

const place = resolve(process.env['BROKEN_DISK'])
const code = process.env['HARM'] === 'full' ? 'ENOSPC' : 'EROFS'
const words = code === 'ENOSPC' ? 'no space left on device' : 'read-only file system'
const real = { existsSync: fs.existsSync, openSync: fs.openSync }
const ours = new Set()

const check = (path, call) => {
  if (typeof path === 'number' ? !ours.has(path) : !resolve(String(path)).startsWith(`${place}/`)) return
  if (typeof path !== 'number' && basename(String(path)) === 'broken') return
  if (!real.existsSync(`${place}/broken`)) return
  throw Object.assign(new Error(`${code}: ${words}, ${call} '${path}'`), { code, syscall: call, path })
}

/** Those that write, and at which place they say where. */
const writers = {
  writeFileSync: 0,
  writeSync: 0,
  appendFileSync: 0,
  mkdirSync: 0,
  renameSync: 1,
  linkSync: 1,
  symlinkSync: 1,
  copyFileSync: 1,
}
for (const [name, at] of Object.entries(writers)) {
  const write = fs[name]
  fs[name] = (...args) => {
    check(args[at], name.replace('Sync', ''))
    return write(...args)
  }
}
fs.openSync = (path, flags = 'r', ...rest) => {
  const writes = typeof flags === 'number' ? (flags & 3) !== 0 : flags !== 'r'
  if (writes) check(path, 'open')
  const file = real.openSync(path, flags, ...rest)
  if (writes && resolve(String(path)).startsWith(`${place}/`)) ours.add(file)
  else ours.delete(file)
  return file
}
syncBuiltinESMExports()
