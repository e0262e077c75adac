import { hash } from 'node:crypto'
import {
  closeSync,
  constants,
  type Dirent,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { AlmanacError } from '../../model/errors.ts'
import type { SharedFile } from '../jobs/shared-file.ts'
import { kernelFile } from '../kernel-file.ts'
import { bytesText } from '../limits.ts'

/**
 * Files through which values pass between processes: in `/dev/shm` where there is one, else (or when that is full)
 * in the directory for temporary files. Owns every file whose name begins with its prefix.
 *
 * S1 names carry the host's process, when that began and where its number means something, so files of dead hosts can
 *    be told and swept, and those of other machines, which may share the directory, are left alone
 * S2 a file that was given back is used again before a new one is made: writing to pages that exist is 5 times faster
 * S3 after `close` none is left
 */
export class SharedFiles {
  /** paths of all files begin with one of these */
  readonly prefix: string
  readonly spare: string
  readonly #reach: string
  readonly #free = new Map<number, SharedFile[]>()
  #freeBytes = 0
  #made = 0
  #swept = false

  /** `machine`: what tells it from others, and from itself before it was started anew. */
  constructor(
    directory: string = sharedDirectory(),
    spareDirectory: string = tmpdir(),
    machine: string = hostname(),
  ) {
    opened += 1
    this.#reach = reachOf(machine)
    const name = `almanac-${this.#reach}-${process.pid}-${processStart(process.pid) ?? 0}-${opened}`
    this.prefix = join(directory, name)
    this.spare = join(spareDirectory, `${name}-s`)
  }

  /** Removes what hosts left that are dead, the first time that it is called. */
  sweep(): void {
    if (this.#swept) return
    this.#swept = true
    for (const place of new Set([dirname(this.prefix), dirname(this.spare)])) sweep(place, this.#reach)
  }

  /** A file for so many bytes; it may hold others of an earlier use. */
  take(bytes: number): SharedFile {
    const capacity = 2 ** Math.max(16, Math.ceil(Math.log2(Math.max(1, bytes))))
    const known = this.#free.get(capacity)?.pop()
    if (known !== undefined) {
      this.#freeBytes -= capacity
      return known
    }
    this.#made += 1
    const name = `m${this.#made}`
    return { name, capacity, path: `${this.prefix}-${name}`, spare: `${this.spare}-${name}` }
  }

  /** A file for bytes that memory has no room for: on disk, where the directory for temporary files is. */
  takeOnDisk(): SharedFile {
    this.#made += 1
    const name = `d${this.#made}`
    const path = `${this.spare}-${name}`
    return { name, capacity: Number.POSITIVE_INFINITY, path, spare: path }
  }

  give(file: SharedFile): void {
    if (this.#freeBytes + file.capacity > maxFree) {
      this.drop(file)
      return
    }
    this.#freeBytes += file.capacity
    const known = this.#free.get(file.capacity)
    if (known === undefined) this.#free.set(file.capacity, [file])
    else known.push(file)
  }

  drop(file: SharedFile): void {
    rmSync(file.path, { force: true })
    rmSync(file.spare, { force: true })
  }

  /** Writes bytes for a worker to read; returns where they are. @throws ALM_STORE_FAILED */
  write(file: SharedFile, bytes: Uint8Array): string {
    let why = ''
    for (const path of [file.path, file.spare]) {
      try {
        return writeTo(path, bytes)
      } catch (error) {
        rmSync(path, { force: true })
        why = (error as Error).message
      }
    }
    throw this.refusal(`a value of ${bytesText(bytes.length)}`, why)
  }

  /** `what` can be written in neither place. */
  refusal(what: string, why: string): AlmanacError {
    const places = [...new Set([dirname(this.prefix), dirname(this.spare)])]
    return new AlmanacError('ALM_STORE_FAILED', {
      path: places.map((place) => `${place} (${freeText(place)})`).join(' and '),
      why: `${what} cannot be written there: ${why}; make room there, or set TMPDIR to a directory that has some`,
    })
  }

  /**
   * Beginnings of paths for files that grow while others write to them, the better first: on disk, as values may fill
   * shared memory to its end at any time; in shared memory where the disk has little room and it has more.
   */
  growing(): readonly [string, string] {
    const disk = freeBytes(dirname(this.spare)) ?? 0
    const isLittle = disk < littleRoom && (freeBytes(dirname(this.prefix)) ?? 0) > disk
    return isLittle ? [this.prefix, this.spare] : [this.spare, this.prefix]
  }

  /** Is it a path that workers of ours may name? */
  owns(path: string): boolean {
    return (
      (path.startsWith(`${this.prefix}-`) || path.startsWith(`${this.spare}-`)) &&
      (dirname(path) === dirname(this.prefix) || dirname(path) === dirname(this.spare))
    )
  }

  /** Removes the files whose names go on like this. */
  remove(begin: string): void {
    for (const prefix of [this.prefix, this.spare]) {
      const start = `${basename(prefix)}-${begin}`
      for (const name of filesIn(dirname(prefix))) {
        if (name.startsWith(start)) rmSync(join(dirname(prefix), name), { force: true })
      }
    }
  }

  close(): void {
    this.#free.clear()
    this.remove('')
  }
}

/** bytes of files that nobody uses which are kept for the next use */
const maxFree = 64 * 1024 * 1024

/** room that what one worker prints may take */
const littleRoom = 64 * 1024 * 1024

/** 0 also where no file can be made any more; undefined where it cannot be read. */
function freeBytes(directory: string): number | undefined {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(directory)
    return files > 0 && ffree === 0 ? 0 : bavail * bsize
  } catch {
    return undefined
  }
}

function freeText(directory: string): string {
  const free = freeBytes(directory)
  return free === undefined ? 'cannot be read' : `${bytesText(free)} free`
}

let opened = 0

function writeTo(path: string, bytes: Uint8Array): string {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at)
  } finally {
    closeSync(file)
  }
  return path
}

/** Where memory is shared by files on this machine. */
export function sharedDirectory(): string {
  return process.platform === 'linux' && entriesIn('/dev').some(({ name }) => name === 'shm')
    ? '/dev/shm'
    : tmpdir()
}

/** Removes files of hosts that are dead. Those of other containers and machines cannot be judged from here and stay. */
function sweep(directory: string, reach: string): void {
  for (const name of filesIn(directory)) {
    const [, of, pid, start] = /^almanac-(\d+)-(\d+)-(\d+)-/.exec(name) ?? []
    if (of !== reach || pid === undefined) continue
    if (processStart(Number(pid)) === Number(start)) continue
    // another user's: theirs to sweep; or nobody may write there
    try {
      rmSync(join(directory, name), { force: true })
    } catch (error) {
      if (!['EPERM', 'EACCES', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

/** When a process began, in the kernel's ticks since the boot; undefined if there is no such process. */
function processStart(pid: number): number | undefined {
  if (process.platform !== 'linux') return isThere(pid) ? 0 : undefined
  const stat = kernelFile(`/proc/${pid}/stat`)
  // the name in parentheses may hold spaces and parentheses
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Process ids mean something within one namespace of one machine only, from its start to its end; the first namespace
 * has the same number on each machine.
 */
const reachOf = (machine: string): string =>
  String(Number.parseInt(hash('sha256', `${machine} ${namespaceId()}`, 'hex').slice(0, 12), 16))

function namespaceId(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}

/** A directory that is called as a file of ours is none. */
const filesIn = (directory: string): string[] =>
  entriesIn(directory).flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]))

function entriesIn(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
