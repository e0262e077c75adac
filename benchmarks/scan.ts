import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataPlane } from '../src/data/open.ts'
import { DirRef } from '../src/model/refs.ts'

/**
 * Scans of a directory: first, unchanged, ten files changed; each with a newly opened data plane, as a process of its
 * own would have. `node benchmarks/scan.ts [FILES] [DIRECTORIES]`, 100 000 files of 4 KiB in 100 directories if absent.
 */

const files = Number(process.argv[2] ?? 100_000)
const directories = Number(process.argv[3] ?? 100)
const root = mkdtempSync(join(tmpdir(), 'almanac-scan-'))
const input = join(root, 'input')
// so that what was just written counts as settled
const later = () => Date.now() + 60_000

const pathOf = (i: number): string =>
  join(input, `d${String(i % directories).padStart(5, '0')}`, `scene-${String(i).padStart(8, '0')}.nc`)

function write(i: number, text: string): void {
  writeFileSync(pathOf(i), Buffer.alloc(4096, `${i} ${text} `))
}

async function measure(what: string, work: () => Promise<string>): Promise<void> {
  const startedAt = performance.now()
  const before = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  const wall = ((performance.now() - startedAt) / 1000).toFixed(3)
  console.log(`${what.padEnd(24)} ${wall} s (cpu ${((user + system) / 1e6).toFixed(2)} s)  ${result}`)
}

async function scan(): Promise<string> {
  const data = openDataPlane({ home: join(root, '.almanac'), data: join(root, 'data'), now: later })
  const dir = await data.scan(input)
  await data.close()
  return dir instanceof DirRef ? `${dir.entries} files, ${dir.digest.slice(0, 12)}` : 'no directory'
}

function plainWalk(directory: string): number {
  let count = 0
  for (const name of readdirSync(directory)) {
    const path = `${directory}/${name}`
    count += lstatSync(path, { bigint: true }).isDirectory() ? plainWalk(path) : 1
  }
  return count
}

try {
  for (let i = 0; i < directories; i++)
    mkdirSync(join(input, `d${String(i).padStart(5, '0')}`), { recursive: true })
  for (let i = 0; i < files; i++) write(i, 'first')
  console.log(`${files} files of 4 KiB in ${directories} directories`)
  await measure('readdir and lstat alone', async () => String(plainWalk(input)))
  await measure('first scan', scan)
  await measure('unchanged', scan)
  await measure('unchanged, again', scan)
  for (let i = 0; i < 10; i++) write(Math.floor((i * files) / 10), 'second')
  await measure('ten changed', scan)
  await measure('stage it (links to it)', async () => {
    const data = openDataPlane({ home: join(root, '.almanac'), data: join(root, 'data'), now: later })
    const dir = await data.scan(input)
    const shown = await data.show('dev', 'input', dir)
    await data.close()
    return shown
  })
  const out = { path: '' }
  await measure('collect as an output', async () => {
    const data = openDataPlane({ home: join(root, '.almanac'), data: join(root, 'data'), now: later })
    const dir = await data.scan(input)
    const workspace = await data.workspace('copy')
    await data.writeTo(dir, workspace.output('all'))
    const startedAt = performance.now()
    const collected = await data.collectDir(workspace.output('all'))
    const collecting = performance.now() - startedAt
    out.path = await data.open(collected)
    const opening = performance.now() - startedAt - collecting
    await data.verify([collected])
    const verifying = performance.now() - startedAt - collecting - opening
    await data.sync()
    const syncing = performance.now() - startedAt - collecting - opening - verifying
    await workspace.remove()
    await data.close()
    return `collect ${collecting.toFixed(0)}, open ${opening.toFixed(0)}, verify ${verifying.toFixed(0)}, sync ${syncing.toFixed(0)} ms`
  })
} finally {
  rmSync(root, { recursive: true, force: true })
}
