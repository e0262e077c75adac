import type { BigIntStats } from 'node:fs'
import { constants, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { compareNames, nameFault } from '../../core/tree/name.ts'
import { codeOf, inputError, refused } from '../files/failures.ts'
import type { Globs, PathFilter } from '../files/globs.ts'
import { filterOf } from '../files/globs.ts'
import type { FileState } from '../files/read-file.ts'
import type { JobRunner } from '../jobs/job-runner.ts'
import type { Block } from './state-rows.ts'
import { joinNames, newRows, setRow } from './state-rows.ts'

/** What lies in some directories below a root, as far as globs let it through. */
export interface ListJob {
  readonly kind: 'list'
  /** without links in it */
  readonly root: string
  readonly globs: Globs
  /** path of the root below the directory that the globs speak of, with `/` at its end; `''` for itself */
  readonly prefix: string
  /** directories with the paths to leave out wherever they lie */
  readonly without: readonly string[]
  /** paths below the root, `''` for itself; or names of one large directory */
  readonly directories: readonly string[]
  readonly names?: readonly string[]
  /** files that changed after that time are left out, ns since 1970; what is later than now has a clock that jumped */
  readonly settledBefore?: bigint
}

export interface Listed {
  readonly blocks: readonly Block[]
  /** directories too large for one job: their names, sorted */
  readonly wide: readonly { readonly path: string; readonly names: readonly string[] }[]
  /** paths below the root of files that were left out, as they may not be complete */
  readonly young: readonly string[]
}

/** More names are looked at by several jobs. */
const wideOver = 8192

export type ListRunner = JobRunner<ListJob, Listed>

/** @throws ALM_PATH_REFUSED, ALM_INPUT_CHANGED, ALM_INPUT_UNREADABLE, naming what it is about */
export function listDirectories(job: ListJob): Listed {
  const filter = filterOf(job.globs)
  const blocks: Block[] = []
  const wide: { path: string; names: string[] }[] = []
  const young: string[] = []
  for (const path of job.directories) {
    if (job.names !== undefined) {
      blocks.push(lookAt(job, filter, path, job.names, young))
      continue
    }
    const names = namesIn(absolute(job.root, path)).sort(compareNames)
    if (names.length > wideOver) wide.push({ path, names })
    else blocks.push(lookAt(job, filter, path, names, young))
  }
  return { blocks, wide, young }
}

const absolute = (root: string, path: string): string => (path === '' ? root : `${root}/${path}`)

function namesIn(directory: string): string[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    throw inputError(error, directory)
  }
  // undecodable bytes become this character; a name may also have it by itself
  if (names.some((name) => name.includes('\ufffd'))) refuseUndecodable(directory)
  return names
}

function refuseUndecodable(directory: string): void {
  for (const bytes of readdirSync(directory, { encoding: 'buffer' })) {
    const name = bytes.toString('utf8')
    if (name.includes('\ufffd') && !Buffer.from(name, 'utf8').equals(bytes)) {
      const shown = bytes
        .toString('latin1')
        .replace(/[^ -~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
      throw refused(`${directory}/${shown}`, 'its name is not valid UTF-8')
    }
  }
}

function lookAt(
  job: ListJob,
  filter: PathFilter,
  path: string,
  names: readonly string[],
  young: string[],
): Block {
  const rows = newRows(names.length)
  const taken: string[] = []
  const subdirectories: string[] = []
  const links: string[] = []
  for (const name of names) {
    const below = path === '' ? name : `${path}/${name}`
    const full = `${job.root}/${below}`
    const globbed = job.prefix + below
    const stat = stateOf(full)
    const isDirectory = stat.isDirectory()
    if (
      isDirectory
        ? !filter.entersDir(globbed, name) || job.without.includes(full)
        : !filter.takesFile(globbed, name)
    )
      continue
    const fault = nameFault(name)
    if (fault !== undefined) throw refused(full, fault)
    const state = isDirectory ? directoryState : fileState(job.root, full, stat)
    if (!isDirectory && isYoung(state, job.settledBefore)) {
      young.push(below)
      continue
    }
    if (isDirectory) subdirectories.push(name)
    if (stat.isSymbolicLink()) links.push(name)
    setRow(rows, taken.length, state)
    taken.push(name)
  }
  return {
    path,
    count: taken.length,
    names: joinNames(taken),
    rows: rows.slice(0, taken.length * 5),
    subdirectories,
    links,
  }
}

/**
 * The time of the last change of content may be set by anybody, so the time of the last change of anything counts too:
 * a file that was moved here, or copied with its times, has just come.
 */
const isYoung = ({ mtimeNs, ctimeNs }: FileState, settledBefore: bigint | undefined): boolean =>
  settledBefore !== undefined && (ctimeNs > settledBefore || (mtimeNs > settledBefore && mtimeNs <= ctimeNs))

/** Of a directory nothing counts but that it is one: what is in it is looked at by itself. */
const directoryState: FileState = {
  size: 0n,
  mtimeNs: 0n,
  ctimeNs: 0n,
  ino: 0n,
  mode: BigInt(constants.S_IFDIR),
}

function stateOf(path: string): BigIntStats {
  try {
    return lstatSync(path, { bigint: true })
  } catch (error) {
    throw inputError(error, path)
  }
}

/** A link to a file inside counts as that file; what leads out, to a directory, to nothing or in a circle is refused. */
function fileState(root: string, path: string, stat: BigIntStats): FileState {
  const state = stat.isSymbolicLink() ? linkedState(root, path) : stat
  if (state.isFile()) return state
  throw refused(
    path,
    state.isDirectory() ? 'it is a link to a directory' : `it is ${kindOf(state)}, not a regular file`,
  )
}

function linkedState(root: string, path: string): BigIntStats {
  let fault = 'it is an absolute link'
  try {
    if (!readlinkSync(path).startsWith('/')) {
      const target = realpathSync(path)
      if (target.startsWith(`${root}/`)) return statSync(target, { bigint: true })
      fault = 'it is a link that leads out of the directory'
    }
  } catch (error) {
    if (codeOf(error) === 'ELOOP') fault = 'it is a link that leads in a circle'
    else if (codeOf(error) === 'ENOENT') fault = 'it is a link to nothing'
    else throw inputError(error, path)
  }
  throw refused(path, fault)
}

/** What a file that is no file is, for people. */
export function kindOf(stat: BigIntStats): string {
  if (stat.isFIFO()) return 'a named pipe'
  if (stat.isSocket()) return 'a socket'
  if (stat.isSymbolicLink()) return 'a link'
  if (stat.isDirectory()) return 'a directory'
  return 'a device'
}
