import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encode } from '../../model/codec.ts'
import type { CacheRecord, JournalRecord } from '../../model/records.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { Datasets } from '../../ports/datasets.ts'
import type { Journal, RunCache } from '../../ports/journal.ts'
import { aCall, anOutcome } from '../../testing/journal-records.ts'
import { MemoryObjects } from '../../testing/memory/memory-objects.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { LocalDataPlane } from '../local-data-plane.ts'
import { LogFiles } from '../log-files.ts'
import { joinShared, type SharedStore } from './joined-parts.ts'
import { blobKey, cacheKey } from './layout.ts'
import { ObjectBlobs } from './object-blobs.ts'
import { collectStore } from './store-garbage.ts'

/** What machines have in common. */
let bucket: MemoryObjects
let opened: { readonly close: () => Promise<void> }[] = []

interface Options extends Partial<Pick<SharedStore, 'results' | 'logs'>> {
  readonly local?: number
  readonly now?: () => number
}

/** A machine of its own, and another one that has the same bucket. */
async function machine({ results = 'share', logs = true, local, now }: Options = {}) {
  const { path, remove } = await temporaryHome()
  const objects = new MemoryObjects(bucket.kept)
  const data = new LocalDataPlane({
    home: `${path}/.almanac`,
    data: `${path}/data`,
    threads: 1,
    shared: new ObjectBlobs(objects),
    ...(local !== undefined && { localBytes: local }),
    ...(now !== undefined && { now }),
  })
  const { journal, cache, datasets } = ownRecords()
  const said: string[] = []
  const own = {
    journal,
    cache,
    datasets,
    logs: new LogFiles(path, (error) => said.push(String(error))),
    home: path,
    data,
    onMessage: (text: string) => void said.push(text),
  }
  opened.push({
    close: async () => {
      await data.close()
      await remove()
    },
  })
  return { ...joinShared(own, { objects, results, logs }), own, data, objects, said, path }
}

type Machine = Awaited<ReturnType<typeof machine>>

const fingerprint = 'ab'.repeat(32)

/** The journal of one machine, as far as sharing goes. */
function ownRecords() {
  const entries = new Map<string, CacheRecord & { readonly run: string }>()
  const none = () => Promise.resolve(undefined)
  const journal: Pick<Journal, 'append'> = {
    append: async (run, records) => {
      for (const one of records) if (one.kind === 'cache') entries.set(one.fingerprint, { ...one, run })
    },
  }
  const cache: Pick<RunCache, 'find' | 'findBase'> = {
    find: async (digest) => entries.get(digest),
    findBase: none,
  }
  return { journal: journal as Journal, cache: cache as RunCache, datasets: {} as Datasets }
}

async function record({ journal }: Machine, entry: Partial<CacheRecord>): Promise<void> {
  await journal.append('made-here', [
    {
      kind: 'cache',
      fingerprint,
      name: 'clean',
      call: 7,
      valueWire: 'null',
      digest: 'cd'.repeat(32),
      blobs: [],
      costMs: 1234,
      at: 1000,
      partsWire: '{}',
      ...entry,
    },
  ])
}

async function season(data: LocalDataPlane, count = 5): Promise<DirRef> {
  const files: [string, FileRef][] = []
  for (let day = 0; day < count; day++)
    files.push([`month/day-${day}`, await data.writeFile(`day-${day}`, Buffer.from(`measured ${day}`))])
  return await data.assemble(files)
}

beforeEach(() => {
  bucket = new MemoryObjects()
})
afterEach(async () => {
  for (const one of opened) await one.close()
  opened = []
})

describe('a store that machines share', () => {
  it('gives a result to another machine, files and all, without where they lay', async () => {
    const [first, second] = [await machine(), await machine()]
    const dir = await season(first.data)
    await record(first, { valueWire: encode(new DirRef(dir.digest, dir.entries, dir.size, '/home/first/x')) })
    await first.settled()
    const found = await second.cache.find(fingerprint, 0)
    expect(found).toEqual({
      fingerprint,
      name: 'clean',
      run: 'made-here',
      call: 7,
      valueWire: encode(dir),
      digest: 'cd'.repeat(32),
      blobs: [],
      costMs: 1234,
      at: 1000,
      partsWire: '{}',
    })
    expect(await second.data.available(dir)).toBe(true)
    const path = await second.data.open(dir)
    expect(readFileSync(`${path}/month/day-3`, 'utf8')).toBe('measured 3')
    expect(await second.cache.find(fingerprint, 1001)).toBeUndefined()
    expect([...first.said, ...second.said]).toEqual([])
  })

  it('gives what was shown with a result too, and takes no more of it than what is to be shown', async () => {
    const [first, second] = [await machine(), await machine()]
    const { digest, size } = await first.data.writeFile('plot.svg', Buffer.from('<svg/>'))
    const plot = (at?: string) => ({
      type: 'artifact',
      name: 'plot',
      entry: 'a.nc',
      body: { kind: 'image', path: new FileRef('plot.svg', digest, size, false, at) },
    })
    const figure = { type: 'metric', name: 'rmse', body: { value: 2 } }
    const shown = [
      plot('/home/first/plot.svg'),
      { type: 'artifact', name: 'table', body: { kind: 'table', rows: 'none' } },
      { type: 'artifact', name: 'page', body: { kind: 'page', text: 'x' } },
      { type: 'run', name: 'x', body: {} },
      7,
      figure,
    ]
    await record(first, { shownWire: encode(shown) })
    await record(first, { fingerprint: 'ef'.repeat(32), shownWire: encode({ not: 'a list' }) })
    await first.settled()
    expect((await second.cache.find(fingerprint, 0))?.shownWire).toBe(encode([plot(), figure]))
    expect(await second.data.available(plot().body.path)).toBe(true)
    expect(await second.cache.find('ef'.repeat(32), 0)).toMatchObject({ name: 'clean', valueWire: 'null' })
    expect((await second.cache.find('ef'.repeat(32), 0))?.shownWire).toBeUndefined()
    const hour = 3600_000
    for (const hours of [0, 2])
      expect(
        await collectStore(bucket, { dryRun: false, graceMs: hour, now: Date.now() + hours * hour }),
      ).toMatchObject({ kept: 1, unreachable: 0, deleted: 0 })
  })

  it('writes an entry after all that it needs, and what is there once', async () => {
    const first = await machine()
    const keys: string[] = []
    first.objects.onRequest = (kind, key) => void (kind === 'put' && keys.push(key))
    const dir = await season(first.data, 2)
    await record(first, { valueWire: encode(dir) })
    await first.settled()
    expect(keys).toHaveLength(5)
    expect(keys.at(-2)).toBe(blobKey(dir.digest))
    expect(keys.at(-1)).toBe(cacheKey(fingerprint))
    await record(first, { valueWire: encode(dir), fingerprint: 'ef'.repeat(32) })
    await first.settled()
    expect(keys.slice(5)).toEqual([cacheKey('ef'.repeat(32))])
  })

  it('sends of a directory that has changed only what has', async () => {
    const first = await machine()
    const dir = await season(first.data)
    await first.data.push([dir])
    first.objects.asked['put'] = 0
    const changed = await first.data.edit(
      dir,
      new Map([['month/day-1', await first.data.writeFile('day-1', Buffer.from('corrected'))]]),
    )
    await first.data.push([changed])
    // the file, and the listings of `month` and of the whole
    expect(first.objects.asked['put']).toBe(3)
  })

  it('keeps the first result of two', async () => {
    const [first, second] = [await machine(), await machine()]
    await record(first, { costMs: 1 })
    await first.settled()
    await record(second, { costMs: 2 })
    await second.settled()
    expect(await (await machine()).cache.find(fingerprint, 0)).toMatchObject({ costMs: 1 })
  })

  it('asks once for what is not there', async () => {
    const first = await machine()
    for (let i = 0; i < 3; i++) expect(await first.cache.find(fingerprint, 0)).toBeUndefined()
    expect(first.objects.asked).toEqual({ read: 1 })
  })

  it('says once that it cannot be asked, and goes on without', async () => {
    const first = await machine()
    first.objects.onRequest = () => {
      throw new Error('it is away')
    }
    for (const letter of ['a', 'b', 'c']) expect(await first.cache.find(letter.repeat(64), 0)).toBeUndefined()
    expect(first.said).toEqual(['Results are neither taken from others nor given to them: it is away'])
    expect(first.objects.asked).toEqual({ read: 1 })
  })

  it('says what it could not store, and loses nothing here', async () => {
    const first = await machine()
    first.objects.onRequest = (kind) => {
      if (kind === 'put') throw new Error('it is full')
    }
    await record(first, {})
    await record(first, { fingerprint: 'ef'.repeat(32) })
    await first.settled()
    expect(first.said).toEqual([
      'Not stored for others: it is full',
      '1 more could not be stored in memory://bucket.',
    ])
    expect(await first.cache.find(fingerprint, 0)).toMatchObject({ name: 'clean' })
    // the next process on this machine
    first.objects.onRequest = () => undefined
    const next = joinShared(first.own, { objects: first.objects, results: 'share', logs: true })
    await next.journal.append('another', [])
    await next.settled()
    expect([...bucket.kept.keys()].sort()).toEqual([cacheKey(fingerprint), cacheKey('ef'.repeat(32))])
    expect(readdirSync(`${first.path}/unsent`)).toEqual([])
  })

  it('is not sent one result after the other when it takes none: the next process sends them', async () => {
    const first = await machine()
    first.objects.onRequest = (kind) => {
      if (kind === 'put') throw new Error('nobody listens there')
    }
    const all = Array.from({ length: 300 }, (_, i) => i.toString(16).padStart(64, '0'))
    for (const one of all) await record(first, { fingerprint: one })
    await first.settled()
    expect(first.objects.asked['put']).toBeLessThan(50)
    expect(first.said).toEqual([
      'Not stored for others: nobody listens there',
      '299 more could not be stored in memory://bucket.',
    ])
    first.objects.onRequest = () => undefined
    const next = joinShared(first.own, { objects: first.objects, results: 'share', logs: true })
    await next.journal.append('another', [])
    await next.settled()
    expect([...bucket.kept.keys()].sort()).toEqual(all.map(cacheKey).sort())
  })

  it('is given what a process that was killed had not sent', async () => {
    const first = await machine()
    first.objects.onRequest = () => new Promise(() => undefined)
    await record(first, {})
    const [name] = readdirSync(`${first.path}/unsent`)
    const path = `${first.path}/unsent/${name}`
    // as if it had been another process, before the machine was started anew
    const gone = JSON.stringify({ pid: 1, start: '', bootId: 'another', pidNamespace: '' })
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^.*/, gone))
    const objects = new MemoryObjects(bucket.kept)
    const reader = joinShared(first.own, { objects, results: 'share', logs: true })
    await reader.settled()
    expect(bucket.kept.size).toBe(0)
    await reader.journal.append('another', [])
    await reader.settled()
    expect([...bucket.kept.keys()]).toEqual([cacheKey(fingerprint)])
    expect(existsSync(path)).toBe(false)
  })

  it('is only read where that is said', async () => {
    const first = await machine({ results: 'read' })
    await record(first, { valueWire: encode(await season(first.data)) })
    await first.settled()
    expect(bucket.kept.size).toBe(0)
  })

  it('is not given results whose files lie with the user', async () => {
    const [first, second] = [await machine(), await machine()]
    mkdirSync(`${first.path}/mine`)
    writeFileSync(`${first.path}/mine/a`, 'mine alone')
    const dir = await first.data.scan(`${first.path}/mine`)
    await record(first, { valueWire: encode(dir) })
    await first.settled()
    expect(await second.cache.find(fingerprint, 0)).toBeUndefined()
    expect(first.said).toEqual([])
  })

  it.each([
    ['of another format', '{"format":2}'],
    ['with fields that are none', '{"format":1,"fingerprint":7}'],
    ['for another fingerprint', `{"format":1,"fingerprint":"${'00'.repeat(32)}"}`],
  ])('takes no entry %s', async (_what, text) => {
    const first = await machine()
    bucket.kept.set(cacheKey(fingerprint), { bytes: Buffer.from(text), changedAt: 1 })
    expect(await first.cache.find(fingerprint, 0)).toBeUndefined()
    expect(first.said).toEqual([])
  })

  it('has the base of a map for others, with the listings of what was mapped', async () => {
    const [first, second] = [await machine(), await machine()]
    mkdirSync(`${first.path}/mine`)
    writeFileSync(`${first.path}/mine/a`, 'mine alone')
    const input = await first.data.scan(`${first.path}/mine`)
    const dir = await season(first.data)
    const base = { base: fingerprint, environment: 'main', call: 3, input: input.digest, at: 5 }
    await record(first, {})
    await first.journal.append('made-here', [{ kind: 'base', ...base, valueWire: encode(dir) }])
    await first.settled()
    expect(await second.cache.findBase(fingerprint, 'main')).toEqual({
      ...base,
      run: 'made-here',
      valueWire: encode(dir),
    })
    const changes = []
    for await (const change of second.data.diff(new DirRef(input.digest, 0, 0), dir))
      changes.push(change.path)
    expect(changes[0]).toBe('a')
    expect(await second.cache.findBase(fingerprint, 'pr-1')).toBeUndefined()
  })

  it('has the logs of attempts that have ended, for machines that know nothing of the run', async () => {
    const [first, second] = [await machine(), await machine()]
    await record(first, {})
    const line = (text: string) => ({ at: 5, stream: 'stdout' as const, text })
    first.logs.write('made-here', 4, 1, [line('first try')])
    await first.journal.append('made-here', [
      {
        kind: 'call',
        call: 4,
        key: 'k',
        caller: 'w',
        name: 'clean',
        call_kind: 'task',
        argsWire: 'null',
        at: 1,
      },
      { kind: 'attempt', call: 4, attempt: 1, phase: 'failed', startedAt: 1, at: 2 },
    ])
    first.logs.write('made-here', 4, 2, [line('second try')])
    await first.settled()
    expect(await second.logs.calls?.('made-here')).toEqual([{ call: 4, name: 'clean' }])
    const { lines } = await second.logs.read('made-here', 4, undefined, 10)
    expect(lines).toEqual([{ ...line('first try'), attempt: 1 }])
    expect(await second.logs.calls?.('unknown')).toEqual([])
  })

  it('has the logs of every call of a run elsewhere, and what was printed since they were read last', async () => {
    const line = (text: string) => `${JSON.stringify({ at: 5, stream: 'stdout', text })}\n`
    const print = (name: string, ...texts: string[]) =>
      bucket.put(`logs/made-elsewhere/${name}.clean.jsonl`, Buffer.from(texts.map(line).join('')))
    await print('4.1', 'four')
    await print('7.1', 'seven')
    const second = await machine()
    const printed = async ({ logs }: Pick<Machine, 'logs'>, call: number) => {
      const { lines } = await logs.read('made-elsewhere', call, undefined, 10)
      return lines.map(({ text }) => text)
    }
    expect(await printed(second, 4)).toEqual(['four'])
    expect(await printed(second, 7)).toEqual(['seven'])
    await print('4.2', 'again')
    await print('7.1', 'seven', 'and eight')
    const next = joinShared(second.own, { objects: second.objects, results: 'share', logs: true })
    expect(await printed(next, 4)).toEqual(['four', 'again'])
    expect(await printed(next, 7)).toEqual(['seven', 'and eight'])
  })

  it('asks nobody for logs of a run of this machine', async () => {
    const only = await machine()
    only.logs.write('made-here', 4, 1, [{ at: 5, stream: 'stdout', text: 'said' }])
    await only.logs.flush()
    expect(await only.logs.read('made-here', 7, undefined, 10)).toMatchObject({ lines: [] })
    expect(only.objects.asked).toEqual({})
  })

  it('has a log of any size, beside the others of its call', async () => {
    const second = await machine()
    const line = (text: string) => `${JSON.stringify({ at: 5, stream: 'stdout', text })}\n`
    const long = Buffer.from(line('x'.repeat(1024 * 1024)))
    const logs = { '4.1': Buffer.alloc(257 * long.length, long), '4.2': Buffer.from(line('again')) }
    for (const [name, bytes] of Object.entries(logs))
      bucket.kept.set(`logs/made-elsewhere/${name}.clean.jsonl`, { bytes, changedAt: 1 })
    const first = await second.logs.read('made-elsewhere', 4, undefined, 2)
    expect(first.lines.map(({ text }) => text.length)).toEqual([1024 * 1024, 1024 * 1024])
    const last = await second.logs.read('made-elsewhere', 4, undefined, 2, [2])
    expect(last.lines).toEqual([{ at: 5, stream: 'stdout', text: 'again', attempt: 2 }])
  })

  it('has the logs of all attempts by their task, in each life of the run, and that of one without it under the others', async () => {
    const [first, second] = [await machine(), await machine()]
    const { kind: _, ...made } = aCall(7, { name: 'grid' })
    const loads = async () => [{ ...made, attempts: [] }]
    const claims = async () => ({ release: async () => undefined })
    Object.assign(first.own.journal, { load: loads, claim: claims })
    const print = (call: number, attempt: number) =>
      first.logs.write('made-here', call, attempt, [{ at: 5, stream: 'stdout', text: 'said' }])
    const failed = (call: number, attempt: number) =>
      ({ kind: 'attempt', call, attempt, phase: 'failed', startedAt: 1, at: 2 }) as const
    const claim = () => first.journal.claim('made-here', { host: 'h', pid: 1, bootId: 'b' })
    const append = async (...records: JournalRecord[]) => first.journal.append('made-here', records)
    const life = await claim()
    for (const attempt of [1, 2]) print(4, attempt)
    await append(aCall(4, { name: 'clean' }), failed(4, 1), anOutcome(4, { attempt: 2 }))
    await life?.release()
    await claim()
    await first.journal.load('made-here')
    for (const attempt of [1, 2]) print(7, attempt)
    await append(failed(7, 1), anOutcome(7, { attempt: 2 }))
    await first.settled()
    const logs = () => [...bucket.kept.keys()].filter((key) => key.startsWith('logs/')).sort()
    expect(logs()).toEqual([
      'logs/made-here/4.1.clean.jsonl',
      'logs/made-here/4.2.clean.jsonl',
      'logs/made-here/7.1.grid.jsonl',
      'logs/made-here/7.2.grid.jsonl',
    ])
    await bucket.put('logs/made-here/7.3..jsonl', Buffer.from('{}\n'))
    expect(await second.logs.calls?.('made-here')).toEqual([
      { call: 4, name: 'clean' },
      { call: 7, name: 'grid' },
    ])
  })

  it('makes room for what came, but not of what is in use, is shown, or is nowhere else', async () => {
    let clock = Date.now()
    const [first, second] = [await machine(), await machine({ local: 1000, now: () => clock })]
    const big = async (data: LocalDataPlane, text: string) =>
      await data.writeFile(text, Buffer.from(text.repeat(600 / text.length)))
    const [used, shown, idle] = [
      await big(first.data, 'us'),
      await big(first.data, 'sh'),
      await big(first.data, 'id'),
    ]
    await first.data.push([used, shown, idle])
    const own = await big(second.data, 'ow')
    const path = await second.data.open(used)
    await second.data.show('main', 'season', shown)
    await second.data.readFile(idle)
    expect(await second.data.trim()).toEqual({ bytes: 2400, freed: 0 })
    clock += 3600_000
    expect(await second.data.trim()).toEqual({ bytes: 2400, freed: 600 })
    const here = async () => {
      const digests = []
      for await (const { digest } of (await second.data.blobs()).list()) digests.push(digest)
      return digests.sort()
    }
    expect(await here()).toEqual([used, shown, own].map(({ digest }) => digest).sort())
    expect(existsSync(path)).toBe(true)
    // what is not here is had from there
    expect(await second.data.available(idle)).toBe(true)
    expect(Buffer.from(await second.data.readFile(idle)).toString()).toBe('id'.repeat(300))
    await second.data.release([used])
    clock += 3600_000
    await second.data.trim()
    expect(await here()).toEqual([shown, own].map(({ digest }) => digest).sort())
    expect(readFileSync(await second.data.open(used), 'utf8')).toBe('us'.repeat(300))
  })

  it('is collected in two rounds, and keeps what documents need', async () => {
    const [first, second] = [await machine(), await machine()]
    const [kept, lost, back] = [
      await season(first.data, 3),
      await season(first.data, 4),
      await season(first.data, 5),
    ]
    await first.data.push([kept, lost, back])
    await record(first, { valueWire: encode(kept) })
    await first.settled()
    const hour = 3600_000
    const round = (hours: number, dryRun = false) =>
      collectStore(bucket, { dryRun, graceMs: hour, now: Date.now() + hours * hour })
    // of five days three are needed, with the listings of `month` and the whole; the others have two listings each
    const found = {
      kept: 5,
      keptBytes: expect.any(Number),
      unreachable: 6,
      unreachableBytes: expect.any(Number),
    }
    const nothing = { deleted: 0, freedBytes: 0, forgotten: 0, orphans: 0, missing: 0 }
    expect(await round(0)).toEqual({ ...found, ...nothing })
    expect(await round(0.5)).toEqual({ ...found, ...nothing })
    // somebody finds what is marked, and says nothing of it yet
    bucket.now = () => Date.now() + hour
    second.objects.now = bucket.now
    const again = await season(second.data, 5)
    expect(again.digest).toBe(back.digest)
    await second.data.push([again])
    expect(await round(2, true)).toMatchObject({ deleted: 2 })
    expect(await round(2)).toMatchObject({ deleted: 2 })
    const third = await machine()
    expect(await third.data.available(kept)).toBe(true)
    expect(await third.data.available(again)).toBe(true)
    expect(await third.data.available(lost)).toBe(false)
  })

  it('keeps what is sent anew between the last look of a collection and its deletion', async () => {
    const [first, second] = [await machine(), await machine()]
    const lost = await season(first.data, 4)
    await first.data.push([lost])
    const hour = 3600_000
    const round = (hours: number) =>
      collectStore(bucket, { dryRun: false, graceMs: hour, now: Date.now() + hours * hour })
    await round(0.5)
    const again = await season(second.data, 4)
    // the writer begins when the collection has looked, and is waited for until it has sent all that it sends at first
    let pushing: Promise<unknown> | undefined
    const sent = Promise.withResolvers<void>()
    second.objects.onRequest = (kind, key) => void (kind === 'list' && key === 'deleting/' && sent.resolve())
    bucket.onRequest = async (kind, key) => {
      if (kind !== 'remove' || !key.startsWith('blobs/')) return
      pushing ??= second.data.push([again])
      await sent.promise
    }
    expect(await round(2)).toMatchObject({ deleted: 6 })
    await pushing
    expect(await (await machine()).data.available(again)).toBe(true)
    expect([...bucket.kept.keys()].filter((key) => key.startsWith('deleting/'))).toEqual([])
  })

  it('forgets results that are older than is said, and then what only they needed', async () => {
    const first = await machine()
    await record(first, { valueWire: encode(await season(first.data)) })
    await first.settled()
    const day = 24 * 3600_000
    const round = (days: number) =>
      collectStore(bucket, { dryRun: false, graceMs: day, olderMs: 30 * day, now: Date.now() + days * day })
    expect(await round(29)).toMatchObject({ kept: 7, unreachable: 0, forgotten: 0 })
    expect(await round(31)).toMatchObject({ kept: 0, unreachable: 7, deleted: 0, forgotten: 1 })
    expect(await round(33)).toMatchObject({ deleted: 7 })
    expect([...bucket.kept.keys()]).toEqual(['garbage.txt'])
  })

  const unknown = 'this version of Almanac does not know what it says, which a newer one may have written'

  it.each([
    ['is none', '{', 'it is no document of Almanac'],
    ['is of a newer format', `{"format":2,"digest":"${'ab'.repeat(32)}"}`, unknown],
    ['is no object', '7', unknown],
    ['says what it needs in fields that are not known', '{"format":1,"trees":[]}', unknown],
  ])('loses nothing where a document %s', async (_what, text, why) => {
    const first = await machine()
    await first.data.push([await season(first.data)])
    bucket.kept.set('cache/aa/other.json', { bytes: Buffer.from(text), changedAt: 1 })
    const day = 24 * 3600_000
    for (const days of [0, 2, 4])
      await expect(
        collectStore(bucket, { dryRun: false, graceMs: day, now: Date.now() + days * day }),
      ).rejects.toMatchObject({
        code: 'ALM_STORE_FAILED',
        details: { path: 'memory://bucket/cache/aa/other.json', why },
      })
    expect(bucket.kept.size).toBe(8)
  })
})
