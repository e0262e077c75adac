import { spawn } from 'node:child_process'
import { readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DeathAt } from './writes.ts'

const bin = fileURLToPath(new URL('../../../bin/almanac.cjs', import.meta.url))
const writes = new URL('./writes.ts', import.meta.url).href

/** When a process is killed: when so much of something has been seen of it, or by itself in the middle of a write. */
export type Moment =
  | { readonly when: 'printed' | 'executed' | 'journal' | 'home'; readonly n: number }
  | ({ readonly when: 'write' } & DeathAt)

export interface Life {
  /** it was killed in its moment, or when it stood at a closed gate, or it ended by itself with a code */
  readonly death: 'moment' | 'gate' | number
  readonly pid: number
  readonly printed: string
  readonly stderr: string
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1)

/** Lets a process live until its moment. What it is watched by comes from the kernel: nothing waits for a time. */
export function live(folder: string, args: readonly string[], moment?: Moment): Promise<Life> {
  const dying = moment?.when === 'write'
  const log = join(folder, 'log')
  const before = linesOf(log).length
  // watched before it is there: a process that stands at a gate writes no more
  const watched = [
    watch(log, () => {
      const lines = linesOf(log).slice(before)
      saw('executed', lines.length)
      if (lines.includes('closed')) kill('gate')
    }),
    watch(join(folder, '.almanac'), (_, name) => saw(name === 'journal.db-wal' ? 'journal' : 'home')),
  ]
  const child = spawn(process.execPath, [...(dying ? ['--import', writes] : []), bin, ...args, '--json'], {
    cwd: folder,
    env: {
      ...process.env,
      NO_COLOR: '1',
      TMPDIR: join(folder, 'tmp'),
      ...(dying && { ALMANAC_TEST_DIE: JSON.stringify({ kind: moment.kind, n: moment.n }) }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let death: Life['death'] | undefined
  const kill = (why: 'moment' | 'gate'): void => {
    death ??= why
    child.kill('SIGKILL')
  }
  const seen = { printed: 0, executed: 0, journal: 0, home: 0 }
  const saw = (what: keyof typeof seen, n = seen[what] + 1): void => {
    seen[what] = n
    if (moment?.when === what && n >= moment.n) kill('moment')
  }
  let printed = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => {
    printed += data.toString()
    saw('printed', printed.split('\n').length - 1)
  })
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString()
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      for (const one of watched) one.close()
      if (signal === 'SIGKILL') death ??= 'moment'
      else death = code ?? -1
      resolve({ death, pid: child.pid ?? 0, printed, stderr })
    })
  })
}

/** All kinds of writes that a whole run does, in the order in which they first come. */
export async function kindsOfWrites(folder: string, args: readonly string[]): Promise<readonly string[]> {
  const list = join(folder, 'writes')
  const child = spawn(process.execPath, ['--import', writes, bin, ...args, '--json'], {
    cwd: folder,
    env: { ...process.env, TMPDIR: join(folder, 'tmp'), ALMANAC_TEST_WRITES: list },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await new Promise((resolve) => child.on('close', resolve))
  return [...new Set(linesOf(list))]
}
