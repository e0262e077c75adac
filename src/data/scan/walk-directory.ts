import { batches } from '../files/batches.ts'
import type { Globs } from '../files/globs.ts'
import type { Listed, ListJob, ListRunner } from './list-directory.ts'
import type { Block } from './state-rows.ts'

export interface Walk {
  /** without links in it */
  readonly root: string
  readonly globs: Globs
  /** as in `ListJob` */
  readonly prefix: string
  /** absolute paths that are left out */
  readonly without: readonly string[]
  /** as in `ListJob` */
  readonly settledBefore?: bigint
  readonly onYoung?: (path: string) => void
}

/** Fewer are looked at before a thread has started; a guess is made from the first directories. */
const fewEntries = 16_000

/** So many directories are looked at before a guess is made anew. */
const guessEvery = 4

/** Names of a large directory that one job looks at. */
const namesAJob = 8192

/** The states of all files below a root, by directory. @throws as `listDirectories` */
export async function walkDirectory(pool: ListRunner, walk: Walk): Promise<Map<string, Block>> {
  const blocks = new Map<string, Block>()
  let seen = 0
  const take = (block: Block, next: string[]): void => {
    blocks.set(block.path, block)
    seen += block.count + 1
    for (const name of block.subdirectories) next.push(block.path === '' ? name : `${block.path}/${name}`)
  }
  let open: readonly string[] = ['']
  while (open.length > 0) {
    const next: string[] = []
    const guess = seen + (seen / Math.max(1, blocks.size)) * open.length
    const here: readonly string[] = guess < fewEntries ? open.slice(0, guessEvery) : []
    const wide: Listed['wide'][number][] = []
    const absorb = (listed: Listed) => {
      for (const block of listed.blocks) take(block, next)
      wide.push(...listed.wide)
      for (const path of listed.young) walk.onYoung?.(path)
    }
    if (here.length > 0) absorb(pool.runHere(jobOf(walk, here)))
    else
      for (const listed of await pool.runAll(spread(open).map((directories) => jobOf(walk, directories))))
        absorb(listed)
    for (const { path, names } of wide) take(await lookAtWide(pool, walk, path, names), next)
    open = here.length > 0 ? open.slice(here.length).concat(next) : next
    // other work has its turn
    await new Promise(setImmediate)
  }
  return blocks
}

const jobOf = (
  { root, globs, prefix, without, settledBefore }: Walk,
  directories: readonly string[],
  names?: readonly string[],
): ListJob => ({
  kind: 'list',
  root,
  globs,
  prefix,
  without,
  directories,
  ...(names !== undefined && { names }),
  ...(settledBefore !== undefined && { settledBefore }),
})

/** Enough jobs that no thread is idle, few enough that their number costs nothing. */
const spread = (directories: readonly string[]): string[][] =>
  batches(directories, Math.min(64, Math.max(1, Math.ceil(directories.length / 16))))

async function lookAtWide(
  pool: ListRunner,
  walk: Walk,
  path: string,
  names: readonly string[],
): Promise<Block> {
  const jobs = batches(names, namesAJob).map((part) => jobOf(walk, [path], part))
  const listed = await pool.runAll(jobs)
  for (const { young } of listed) for (const left of young) walk.onYoung?.(left)
  const parts = listed.flatMap(({ blocks }) => blocks)
  const rows = new BigInt64Array(parts.reduce((sum, part) => sum + part.rows.length, 0))
  let at = 0
  for (const part of parts) {
    rows.set(part.rows, at)
    at += part.rows.length
  }
  return {
    path,
    count: parts.reduce((sum, part) => sum + part.count, 0),
    names: Buffer.concat(parts.map((part) => part.names)),
    rows,
    subdirectories: parts.flatMap((part) => part.subdirectories),
    links: parts.flatMap((part) => part.links),
  }
}
