import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type S3Source, source, workflow } from '../../src/index.ts'
import { overwrite } from '../s3/servers.ts'
import { openBucketStage } from './bucket-stage.ts'

const stage = openBucketStage()

const put = (key: string, text: string) => overwrite(stage.server, stage.bucket, key, Buffer.from(text))
const gets = () => stage.proxy.asked.filter((one) => one.method === 'GET' && !one.query.has('list-type'))

/** What came, by path. */
async function fetched(options: Partial<S3Source> = {}): Promise<Record<string, string>> {
  const given = {
    bucket: stage.bucket,
    endpoint: stage.proxy.endpoint,
    retries: { count: 3, delay: 1 },
    ...options,
  }
  await stage.almanac.run(workflow('fetch', async () => source.s3(given)))
  const shown = join(stage.folder, 'data/main/fetch')
  const names = readdirSync(shown, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const paths = names.map((one) => join(one.parentPath, one.name))
  return Object.fromEntries(paths.map((path) => [path.slice(shown.length + 1), readFileSync(path, 'utf8')]))
}

it('gives the objects under a prefix that are wanted, and asks for none that is as it was', async () => {
  await put('raw/2026/a b+ü.csv', 'A')
  await put('raw/2026/b.csv', 'B')
  await put('raw/2026/', '')
  await put('raw/2026/b.csv.part', 'half')
  await put('raw/notes.txt', 'N')
  await put('other.csv', 'O')
  const wanted = { prefix: 'raw/', include: ['*.csv'] }
  const all = { '2026/a b+ü.csv': 'A', '2026/b.csv': 'B' }
  expect(await fetched(wanted)).toEqual(all)
  expect(gets()).toHaveLength(2)
  expect(await fetched(wanted)).toEqual(all)
  expect(gets()).toHaveLength(2)
  await put('raw/2026/b.csv', 'B2')
  expect(await fetched(wanted)).toEqual({ ...all, '2026/b.csv': 'B2' })
  expect(gets()).toHaveLength(3)
  expect(await fetched({ prefix: 'raw/n' })).toEqual({ 'notes.txt': 'N' })
})

it('lists more than a page', async () => {
  const keys = Array.from({ length: 1005 }, (_, i) => `k${String(i).padStart(4, '0')}`)
  for (let at = 0; at < keys.length; at += 50)
    await Promise.all(keys.slice(at, at + 50).map((key) => put(key, 'x')))
  expect(Object.keys(await fetched({ rate: { concurrency: 8 } })).sort()).toEqual(keys)
})

it('goes on where it was cut, and begins anew where the object is another meanwhile', async () => {
  const text = 'x'.repeat(400_000)
  await put('a', text)
  let left = 2
  stage.proxy.fault = (asked) =>
    asked.path.endsWith('/a') && left-- > 0 ? { kind: 'cut', after: 100_000 } : undefined
  expect(await fetched()).toEqual({ a: text })
  expect(gets().map((one) => one.headers.range !== undefined)).toEqual([false, true, true])
  await put('a', `${text}1`)
  left = 1
  stage.proxy.fault = (asked) => {
    if (!asked.path.endsWith('/a') || left-- <= 0) return undefined
    void put('a', 'another')
    return { kind: 'cut', after: 100_000 }
  }
  expect([`${text}1`, 'another']).toContain((await fetched())['a'])
})

it('rests before it lists again, and longer each time, where the store asks for that', async () => {
  await put('a', 'A')
  const at: number[] = []
  stage.proxy.fault = (asked) => {
    if (!asked.query.has('list-type')) return undefined
    at.push(performance.now())
    return at.length < 4 ? { kind: 'status', status: 503, code: 'SlowDown' } : undefined
  }
  expect(await fetched()).toEqual({ a: 'A' })
  const [first = 0, second = 0, third = 0] = at.slice(1).map((time, i) => time - (at[i] as number))
  for (const [rest, least] of [
    [first, 75],
    [second, 150],
    [third, 300],
  ] as const)
    expect(rest).toBeGreaterThanOrEqual(least)
})

it('tries again through faults of the store', async () => {
  await put('a', 'A'.repeat(1000))
  let left = 4
  stage.proxy.fault = () => (left-- > 0 ? { kind: 'status', status: 503, code: 'SlowDown' } : undefined)
  expect(await fetched()).toEqual({ a: 'A'.repeat(1000) })
})

it('tries again where the clock of this machine is wrong, which the answer corrects', async () => {
  await put('a', 'A')
  const told = new Set<string>()
  stage.proxy.fault = ({ path, query }) => {
    const what = query.has('list-type') ? 'the list' : path
    if (told.has(what)) return undefined
    told.add(what)
    return { kind: 'status', status: 403, code: 'RequestTimeTooSkewed' }
  }
  expect(await fetched()).toEqual({ a: 'A' })
  expect(told.size).toBe(2)
})

it('takes no body that its checksum does not fit, and fetches it again', async () => {
  await put('a', 'A'.repeat(1000))
  let left = 2
  stage.proxy.fault = (asked) => (asked.path.endsWith('/a') && left-- > 0 ? { kind: 'corrupt' } : undefined)
  expect(await fetched()).toEqual({ a: 'A'.repeat(1000) })
  expect(gets()).toHaveLength(3)
  await put('a', 'B'.repeat(1000))
  stage.proxy.fault = (asked) => (asked.path.endsWith('/a') ? { kind: 'corrupt' } : undefined)
  await expect(fetched()).rejects.toMatchObject({ code: 'ALM_SOURCE_CHECKSUM' })
})

it('says what is not there, and what may not be read', async () => {
  await expect(fetched({ bucket: 'no-such-bucket-here' })).rejects.toMatchObject({
    code: 'ALM_SOURCE_MISSING',
  })
  await put('a', 'A')
  stage.proxy.fault = (asked) =>
    asked.path.endsWith('/a') ? { kind: 'status', status: 403, code: 'AccessDenied' } : undefined
  await expect(fetched()).rejects.toThrow(
    `${stage.proxy.endpoint}/${stage.bucket}/a may not be read (HTTP 403).`,
  )
  stage.proxy.fault = () => ({ kind: 'status', status: 403, code: 'AccessDenied' })
  await expect(fetched()).rejects.toMatchObject({ code: 'ALM_SOURCE_DENIED' })
})

it('refuses keys that are no paths', async () => {
  await put('x/../y', 'Y')
  await expect(fetched()).rejects.toThrow('x/../y cannot be part of a directory: a name in it is ".."')
})
