import {
  chmodSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

let project: Project

afterEach(() => project.remove())

const workflow = `
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { file, task, type TaskContext, workflow } from 'almanac'
export const make = task('make', { output: { text: file('text.txt') } }, (n: number, { out }: TaskContext) => {
  appendFileSync('log', 'make ' + n + '\\n')
  writeFileSync(out['text'] as string, String(n).repeat(1000))
})
export const read = task('read', (text: { at: string }, n: number) => {
  appendFileSync('log', 'read ' + n + '\\n')
  return readFileSync(text.at, 'utf8').length + n
})
export const hold = task('hold', async (_: unknown) => {
  console.log('held')
  if (!existsSync('open')) await new Promise(() => setInterval(() => undefined, 60_000))
})
export default workflow('power', async () => {
  const texts = [1, 2, 3, 4].map((n) => make(n).text)
  await hold(await Promise.all(texts))
  return Promise.all(texts.map((text, n) => read(text, n)))
})
`

it('files that the power took before they were on disk are found out and made again, and no others', async () => {
  project = await Project.make({ 'power.ts': workflow })
  const home = join(project.folder, '.almanac')
  const { child, ended, saw } = project.start('run', 'power.ts', '--json')
  await saw(/"started"/)
  for (;;) if ((await project.run('logs', 'last', 'hold')).stdout.includes('held')) break
  child.kill('SIGKILL')
  await ended

  // the machine started anew: its processes are of an earlier boot
  for (const name of readdirSync(join(home, 'work')).filter((one) => one.endsWith('.json'))) {
    const path = join(home, 'work', name)
    const entry = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    expect(entry['unsyncedSince']).toBeTypeOf('number')
    writeFileSync(path, JSON.stringify({ ...entry, bootId: 'before' }))
  }
  // of the second file the length is right and the content is not, of the third a part is there
  const blobs = blobsOf(join(home, 'store'))
  spoil(blobs.get('2') as string, (path) => writeFileSync(path, Buffer.alloc(1000)))
  spoil(blobs.get('3') as string, (path) => truncateSync(path, 137))

  await project.write({ open: '', log: '' })
  const { state, output } = await project.json('resume', 'last')
  expect({ state, output }).toEqual({ state: 'succeeded', output: [1000, 1001, 1002, 1003] })
  const log = readFileSync(join(project.folder, 'log'), 'utf8').split('\n').slice(0, -1).sort()
  expect(log).toEqual(['make 2', 'make 3', 'read 0', 'read 1', 'read 2', 'read 3'])
})

/** Blobs by their first letter. */
function blobsOf(store: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' })) {
    const path = join(store, name)
    if (statSync(path).isFile()) found.set(readFileSync(path, 'latin1').slice(0, 1), path)
  }
  return found
}

/** As the power does it: the file's dates stay. */
function spoil(path: string, harm: (path: string) => void): void {
  const { atimeMs, mtimeMs, mode } = statSync(path)
  chmodSync(path, 0o600)
  harm(path)
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000)
  chmodSync(path, mode)
}
