import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { type Almanac, dataset, open, source, task, workflow } from '../../src/index.ts'
import { cutting, FaultyServer, serving } from '../../src/testing/faulty-server.ts'

let folder: string
let server: FaultyServer
let almanac: Almanac | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-sources-'))
  server = await FaultyServer.open()
})

afterEach(async () => {
  await almanac?.close()
  almanac = undefined
  await server.close()
  removeTree(folder)
})

/** The files below a folder, whatever they are. */
function filesBelow(path: string): string[] {
  return readdirSync(path).flatMap((name) => {
    const below = join(path, name)
    return statSync(below).isDirectory() ? filesBelow(below) : [below]
  })
}

it('is published as a new version of a dataset, and an unchanged one is none', async () => {
  almanac = await open({ project: folder })
  server.on('/a.csv', serving('1')).on('/b.csv', serving('2'))
  const url = [server.url('/a.csv'), server.url('/b.csv')]
  const fetch = workflow('fetch', async () => dataset('weather').publish(source.http({ url })))
  expect(await almanac.run(fetch)).toMatchObject({ dataset: 'weather', version: 1 })
  expect(await almanac.run(fetch)).toMatchObject({ dataset: 'weather', version: 1 })
  server.on('/b.csv', serving('3', '"v2"'))
  expect(await almanac.run(fetch)).toMatchObject({ dataset: 'weather', version: 2 })
  expect(readFileSync(join(folder, 'data/main/weather/b.csv'), 'utf8')).toBe('3')
  expect([server.count('/a.csv'), server.count('/b.csv')]).toEqual([3, 3])
})

it('is not asked again by a run that goes on, and what it gave counts by content', async () => {
  almanac = await open({ project: folder })
  server.on('/a.csv', serving('1'))
  let fail = true
  const seen: number[] = []
  const list = task('list', () => [server.url('/a.csv')])
  const use = task('use', { version: '1' }, (size: number) => {
    seen.push(size)
    if (fail) throw new Error('not yet')
    return size
  })
  const fetch = workflow('fetch', async () => {
    const raw = await source.http({ url: list() })
    return use(raw.size)
  })
  const handle = await almanac.start(fetch, undefined)
  expect((await handle.result).state).toBe('failed')
  fail = false
  const resumed = await almanac.resume(handle.id, fetch)
  expect((await resumed.result).output).toBe(1)
  expect([server.count('/a.csv'), seen]).toEqual([1, [1, 1]])
})

it('leaves no password, no header and no signature in anything that is kept', async () => {
  almanac = await open({ project: folder })
  server.on('/a.csv', serving('1')).on('/b.csv', (_, response) => void response.writeHead(500).end())
  const signed = `http://user:pass-w0rd@127.0.0.1:${server.port}/a.csv?X-Amz-Signature=s1gned&day=1`
  const headers = { 'X-Api-Key': 'k3y-of-mine', accept: 'text/csv' }
  const fetch = workflow('fetch', async () => source.http({ url: signed, headers }))
  await almanac.run(fetch)
  expect(server.asked[0]?.headers).toMatchObject({ 'x-api-key': 'k3y-of-mine', accept: 'text/csv' })
  const failing = signed.replace('/a.csv', '/b.csv')
  const fails = workflow('fails', async () => source.http({ url: failing, headers, retries: 0 }))
  await expect(almanac.run(fails)).rejects.toThrow(`${server.url('/b.csv')}?day=1 could not be downloaded`)
  await almanac.close()
  almanac = undefined
  const kept = filesBelow(folder).map((path) => readFileSync(path, 'latin1'))
  expect(kept.join('')).toContain('/a.csv?day=1')
  for (const secret of ['pass-w0rd', 'k3y-of-mine', 's1gned', 'user:'])
    expect(kept.filter((text) => text.includes(secret))).toEqual([])
})

const names = ['a', 'b', 'c']
const content = (name: string, version: number): string => `${name}${version} `.repeat(20_000)

/** A process that fetches them all, says what it has, and may die on the way. */
function live(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly died: boolean; readonly said: string }> {
  const module = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)
  const program = `
    import { open, source, workflow } from ${module}
    const almanac = await open({ project: ${JSON.stringify(folder)} })
    const url = ${JSON.stringify(names.map((name) => server.url(`/${name}`)))}
    const fetch = workflow('fetch', async () => source.http({ url, retries: 0 }))
    const dir = await almanac.run(fetch)
    const { readFileSync } = await import('node:fs')
    const path = ${JSON.stringify(join(folder, 'data/main/fetch'))}
    console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => readFileSync(path + '/' + name, 'utf8'))))
    await almanac.close()
  `
  const writes = new URL('../faults/storm/writes.ts', import.meta.url).href
  const words = ['--import', writes, '--input-type=module-typescript', '-e', program]
  const child = spawn(process.execPath, words, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let said = ''
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString()
  })
  return new Promise((resolve) => {
    child.on('close', (_, signal) => resolve({ died: signal === 'SIGKILL', said }))
  })
}
const children: ReturnType<typeof spawn>[] = []

it('survives kill -9 in every kind of write, and never puts two versions together', {
  timeout: 1_200_000,
}, async () => {
  const serve = (version: number): void => {
    for (const name of names) server.on(`/${name}`, serving(content(name, version), `"${version}"`))
  }
  const list = join(folder, 'writes')
  mkdirSync(join(folder, '.almanac'))
  serve(1)
  await live({ ALMANAC_TEST_WRITES: list })
  const writes = readFileSync(list, 'utf8').split('\n')
  const kinds = [...new Set(writes)].filter((kind) => /downloads|store/.test(kind))
  expect(kinds.filter((kind) => kind.endsWith('downloads')).length).toBeGreaterThanOrEqual(5)
  const outcomes: unknown[] = []
  for (const [i, kind] of kinds.entries()) {
    removeTree(join(folder, '.almanac'))
    mkdirSync(join(folder, '.almanac'))
    serve(2 * i)
    // in its first write of that kind, or in its second
    const { died } = await live({ ALMANAC_TEST_DIE: JSON.stringify({ kind, n: 1 + (i % 2) }) })
    // half of the deaths are followed by another version
    const version = 2 * i + (Math.floor(i / 2) % 2)
    serve(version)
    const { said } = await live({})
    const whole = said.trim() === JSON.stringify(names.map((name) => content(name, version)))
    if (!whole) outcomes.push({ kind, died, said })
  }
  expect(outcomes).toEqual([])
})

it('goes on after kill -9 wherever the bytes had come to', async () => {
  const whole = content('x', 1)
  for (const at of [1, 4096, whole.length - 1]) {
    for (const name of names) server.on(`/${name}`, serving(whole, `"${at}"`))
    let fetched = 0
    server.on('/a', (request, response, n) => {
      if (fetched++ > 0) return serving(whole, `"${at}"`)(request, response, n)
      // so many bytes, and the process dies while it waits for the rest
      response.writeHead(200, { etag: `"${at}"`, 'content-length': whole.length }).write(whole.slice(0, at))
      const parts = join(folder, '.almanac/downloads/parts')
      const look = (): void => {
        const bodies = readdirSync(parts).filter((name) => name.endsWith('.body'))
        // the others may be whole, and be moved away between two looks
        const sizes = bodies.map((name) => statSync(join(parts, name), { throwIfNoEntry: false })?.size)
        if (sizes.includes(at)) children.at(-1)?.kill('SIGKILL')
        else setImmediate(look)
      }
      setImmediate(look)
    })
    expect((await live({})).died).toBe(true)
    const { said } = await live({})
    expect(said.trim()).toBe(JSON.stringify(names.map(() => whole)))
    expect(server.asked.filter((one) => one.path === '/a').at(-1)?.headers.range).toBe(`bytes=${at}-`)
  }
})

it('keeps what came before a cut for the next run', async () => {
  almanac = await open({ project: folder })
  const whole = content('a', 1)
  server.on('/a', cutting(whole, 50_000))
  const fetch = workflow('fetch', async () => source.http({ url: server.url('/a'), retries: 0 }))
  await expect(almanac.run(fetch)).rejects.toThrow('the connection was cut')
  await almanac.close()
  almanac = await open({ project: folder })
  server.on('/a', serving(whole))
  await almanac.run(fetch)
  expect(server.asked.at(-1)?.headers.range).toBe('bytes=50000-')
  expect(readFileSync(join(folder, 'data/main/fetch/a'), 'utf8')).toBe(whole)
})
