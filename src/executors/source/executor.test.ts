import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SourceRig } from '../../testing/executors/source-rig.ts'
import { type Behaviour, cutting, FaultyServer, raw, serving } from '../../testing/faulty-server.ts'
import { openSourceExecutor } from './executor.ts'
import { HostThrottles } from './host-throttles.ts'

let rig: SourceRig
let server: FaultyServer

beforeEach(async () => {
  rig = new SourceRig((options, listener) =>
    openSourceExecutor({ ...options, throttles: new HostThrottles(options.clock) }, listener),
  )
  server = await FaultyServer.open()
})

afterEach(async () => {
  await rig.close()
  await server.close()
  expect(rig.recorder.violations).toEqual([])
})

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const md5 = (text: string): string => createHash('md5').update(text).digest('base64')
const asked = (path: string) => server.asked.filter((one) => one.path === path).map((one) => one.headers)

describe('a source', () => {
  it('gives the files of a list at the last names of their URLs', async () => {
    server.on('/a.csv', serving('A')).on('/deep/b%20c.csv', serving('B'))
    expect(await rig.got({ url: [server.url('/a.csv'), server.url('/deep/b%20c.csv')] })).toEqual({
      'a.csv': 'A',
      'b c.csv': 'B',
    })
  })

  it('gives one file for each combination of parameters, at the path of its template', async () => {
    for (const path of ['/2026/01/gfs.20260105.t00', '/2026/01/gfs.20260105.t06'])
      server.on(path, serving(path))
    const url = `${server.url('')}/{day:YYYY/MM}/gfs.{day:YYYYMMDD}.t{hour}`
    const args = { url, each: { day: ['2026-01-05'], hour: ['00', '06'] }, to: '{day}/{hour}.grib2' }
    expect(await rig.got(args)).toEqual({
      '2026-01-05/00.grib2': '/2026/01/gfs.20260105.t00',
      '2026-01-05/06.grib2': '/2026/01/gfs.20260105.t06',
    })
  })

  it('asks again, and fetches nothing that is as it was', async () => {
    server.on('/a', serving('A')).on('/b', (_, response) => {
      response.writeHead(200, { 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }).end('B')
    })
    const args = { url: [server.url('/a'), server.url('/b')] }
    await rig.got(args)
    server.on('/b', (_, response) => void response.writeHead(304).end())
    expect(await rig.got(args)).toEqual({ a: 'A', b: 'B' })
    expect(asked('/a')[1]).toMatchObject({ 'if-none-match': '"v1"' })
    expect(asked('/b')[1]).toMatchObject({ 'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' })
    expect(rig.recorder.texts('run/0.2#1')).toEqual(['0 of 2 files fetched (0 bytes), 2 unchanged'])
  })

  it('fetches what has changed, and what is no longer in the store', async () => {
    server.on('/a', serving('A')).on('/b', serving('B'))
    const args = { url: [server.url('/a'), server.url('/b')] }
    await rig.got(args)
    server.on('/a', serving('A2', '"v2"'))
    rig.downloads.blobs.delete(sha256('B'))
    expect(await rig.got(args)).toEqual({ a: 'A2', b: 'B' })
    expect(asked('/b')[1]).not.toHaveProperty('if-none-match')
  })

  it('does not ask at all for what never changes, nor for what must be what it has', async () => {
    server.on('/a', serving('A')).on('/b', serving('B'))
    const args = { url: [{ url: server.url('/a'), sha256: sha256('A') }] }
    await rig.got(args)
    expect(await rig.got(args)).toEqual({ a: 'A' })
    await rig.got({ url: server.url('/b'), immutable: true })
    expect(await rig.got({ url: server.url('/b'), immutable: true })).toEqual({ b: 'B' })
    expect([server.count('/a'), server.count('/b')]).toEqual([1, 1])
  })

  it('gives all or nothing', async () => {
    server.on('/a', serving('A'))
    const args = { url: [server.url('/a'), server.url('/gone'), server.url('/gone2')] }
    expect(await rig.got(args)).toBe(
      `ALM_SOURCE_INCOMPLETE 2 of 3 files could not be had, so there is no new version; the first: ${server.url('/gone')} does not exist there (HTTP 404).`,
    )
    expect(await rig.got({ ...args, allowMissing: true })).toEqual({ a: 'A' })
    expect(server.count('/a')).toBe(2)
  })

  it('says how far it is, in files and bytes', async () => {
    server.on('/a', serving('AAAA'))
    const id = rig.begin({ url: server.url('/a') })
    await rig.end(id)
    expect(rig.recorder.of(id).notes.at(-1)).toEqual({
      type: 'progress',
      name: '',
      body: { done: 1, total: 1, bytes: 4 },
    })
  })

  it('ends when it is cancelled, and keeps what has come', async () => {
    server.on('/slow', (_, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': 10 }).write('12345')
    })
    const id = rig.begin({ url: server.url('/slow') })
    await rig.recorder.until(() => rig.recorder.of(id).notes.length > 0)
    rig.cancel(id)
    expect(await rig.end(id)).toEqual({ kind: 'cancelled' })
    expect(rig.downloads.left).toEqual([server.url('/slow')])
  })
})

describe('a download that is cut', () => {
  const content = 'the quick brown fox jumps over the lazy dog'

  it('goes on where it was, wherever that is', async () => {
    for (let at = 0; at < content.length; at++) {
      const path = `/cut-${at}`
      server.on(path, (request, response, n) =>
        (n === 0 ? cutting(content, at) : serving(content))(request, response, n),
      )
      expect(await rig.got({ url: server.url(path), to: 'x' })).toEqual({ x: content })
      expect(asked(path)[1]?.range).toBe(at === 0 ? undefined : `bytes=${at}-`)
      expect(asked(path)[1]?.['if-range']).toBe(at === 0 ? undefined : '"v1"')
    }
  })

  it('survives many cuts, and fails when there is no end of them', async () => {
    server.on('/four', (request, response, n) =>
      (n < 4 ? cutting(content, 10 * (n + 1)) : serving(content))(request, response, n),
    )
    expect(await rig.got({ url: server.url('/four') })).toEqual({ four: content })
    server.on('/never', cutting(content, 10))
    expect(await rig.got({ url: server.url('/never') })).toBe(
      `ALM_SOURCE_FAILED ${server.url('/never')} could not be downloaded: the connection was cut.`,
    )
    expect(server.count('/never')).toBe(6)
  })

  it('begins anew where the file is another one meanwhile', async () => {
    server.on('/a', (request, response, n) =>
      (n === 0 ? cutting('old content', 5) : serving('new', '"v2"'))(request, response, n),
    )
    expect(await rig.got({ url: server.url('/a') })).toEqual({ a: 'new' })
  })

  it.each([
    ['of another place', { 'content-range': 'bytes 4-10/11', etag: '"v1"' }],
    ['that is not said', { etag: '"v1"' }],
    ['of another whole', { 'content-range': 'bytes 5-11/12', etag: '"v1"' }],
    ['that ends too early', { 'content-range': 'bytes 5-7/11', etag: '"v1"' }],
    ['of another version', { 'content-range': 'bytes 5-10/11', etag: '"v2"' }],
    ['of no known version', { 'content-range': 'bytes 5-10/11' }],
  ])('is not put together with a part %s', async (_, headers) => {
    server.on('/a', (request, response, n) => {
      if (n === 0) return cutting('old content', 5)(request, response, n)
      if (n === 1) return void response.writeHead(206, headers).end('NTENT!')
      serving('new content', '"v2"')(request, response, n)
    })
    expect(await rig.got({ url: server.url('/a') })).toEqual({ a: 'new content' })
    expect(asked('/a')[2]).not.toHaveProperty('range')
  })

  it('without an ETag, or with a weak one, is fetched whole', async () => {
    for (const [path, etag] of [
      ['/none', undefined],
      ['/weak', 'W/"v1"'],
    ] as const) {
      server.on(path, (_, response, n) => {
        const headers = { ...(etag && { etag }), 'content-length': content.length }
        response.writeHead(200, headers)
        if (n > 0) response.end(content)
        else response.write(content.slice(0, 9), () => response.destroy())
      })
      expect(await rig.got({ url: server.url(path), to: 'x' })).toEqual({ x: content })
      expect(asked(path)[1]).not.toHaveProperty('range')
    }
  })

  it('whose last byte has come is only asked about', async () => {
    server.on('/a', serving(content))
    const part = await rig.downloads.part(server.url('/a'))
    await part.begin({ etag: '"v1"', total: content.length })
    await part.write(Buffer.from(content))
    expect(await rig.got({ url: server.url('/a') })).toEqual({ a: content })
    expect(asked('/a')).toMatchObject([{ 'if-none-match': '"v1"' }])
    expect(rig.recorder.of('run/0.1#1').notes.at(-1)?.body).toEqual({ done: 1, total: 1, bytes: 0 })
  })

  it('longer than the file has become is fetched anew', async () => {
    server.on('/a', (request, response, n) =>
      n === 0
        ? cutting(content, 30)(request, response, n)
        : n === 1
          ? response.writeHead(416).end()
          : serving('short', '"v2"')(request, response, n),
    )
    expect(await rig.got({ url: server.url('/a') })).toEqual({ a: 'short' })
  })
})

describe('a server that lies', () => {
  it('about the length, saying more than it sends, is tried again and fails', async () => {
    server.on('/a', raw('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'))
    expect(await rig.got({ url: server.url('/a'), retries: { count: 1 } })).toBe(
      `ALM_SOURCE_FAILED ${server.url('/a')} could not be downloaded: the connection was cut.`,
    )
  })

  it('about the length, saying less than it sends, is tried again and fails', async () => {
    server.on('/a', raw('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more'))
    expect(await rig.got({ url: server.url('/a'), retries: { count: 1 } })).toBe(
      `ALM_SOURCE_FAILED ${server.url('/a')} could not be downloaded: it sent more than the 5 bytes that it announced.`,
    )
  })

  it('about a checksum is tried again and fails', async () => {
    server.on('/a', (_, response) => void response.writeHead(200, { 'content-md5': md5('B') }).end('A'))
    const wrong = createHash('md5').update('A').digest('hex')
    expect(await rig.got({ url: server.url('/a'), retries: { count: 1 } })).toBe(
      `ALM_SOURCE_CHECKSUM ${server.url('/a')} is not what was promised: its md5 is ${wrong}, not ${createHash('md5').update('B').digest('hex')}.`,
    )
    expect(server.count('/a')).toBe(2)
  })

  it('about nothing passes: each kind of checksum is looked at', async () => {
    const digest = createHash('sha256').update('A').digest('base64')
    const crc32 = Buffer.from('d3d99e8b', 'hex').toString('base64')
    const headers = {
      'content-md5': md5('A'),
      'repr-digest': `sha-256=:${digest}:`,
      digest: `SHA-256=${digest}`,
      'x-amz-checksum-crc32': crc32,
      // of a file that was put there in two parts: the checksum of their checksums
      'x-amz-checksum-sha256': `${digest}-2`,
    }
    server.on('/a', (_, response) => void response.writeHead(200, headers).end('A'))
    expect(await rig.got({ url: server.url('/a') })).toEqual({ a: 'A' })
    server.on(
      '/b',
      (_, response) =>
        void response.writeHead(200, { 'x-amz-checksum-crc32': Buffer.alloc(4).toString('base64') }).end('A'),
    )
    expect(await rig.got({ url: server.url('/b'), retries: { count: 0 } })).toContain('its crc32 is d3d99e8b')
  })

  it('about nothing, but does not say where the file ends, is not believed without a checksum', async () => {
    server.on('/a', raw('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello'))
    expect(await rig.got({ url: server.url('/a') })).toContain(
      'does not say how long it is, nor when it ends',
    )
    expect(await rig.got({ url: server.url('/a'), unsized: true })).toEqual({ a: 'hello' })
    expect(await rig.got({ url: [{ url: server.url('/a'), sha256: sha256('hello') }] })).toEqual({
      a: 'hello',
    })
  })

  it('of which a part came in chunks is asked for the whole again', async () => {
    server.on('/a', (request, response, n) => {
      if (n > 0) return serving('whole')(request, response, n)
      response.writeHead(200, { etag: '"v1"' }).write('wh', () => response.destroy())
    })
    expect(await rig.got({ url: server.url('/a') })).toEqual({ a: 'whole' })
    expect(asked('/a')[1]).not.toHaveProperty('range')
  })

  it('speaking another protocol fails', async () => {
    server.on('/a', raw('220 ftp ready\r\n'))
    expect(await rig.got({ url: server.url('/a'), retries: { count: 1 } })).toContain('ALM_SOURCE_FAILED')
  })
})

describe('what must be', () => {
  it('a file whose checksum the author gives must have it', async () => {
    server.on('/a', serving('A'))
    expect(await rig.got({ url: [{ url: server.url('/a'), sha256: sha256('A').toUpperCase() }] })).toEqual({
      a: 'A',
    })
    expect(
      await rig.got({ url: [{ url: server.url('/a'), sha256: sha256('B') }], retries: { count: 0 } }),
    ).toContain(`its sha256 is ${sha256('A')}, not ${sha256('B')}`)
    expect(await rig.got({ url: [{ url: server.url('/a'), sha256: 'abc' }] })).toContain('ALM_OPTION_REFUSED')
  })

  it('a checksum may lie beside the file', async () => {
    server
      .on('/a.nc', serving('A'))
      .on('/a.nc.sha256', serving(`${sha256('x')}  other.nc\n${sha256('A')} *dir/a.nc\n`))
    const args = { url: server.url('/a.nc'), checksums: '{url}.sha256' }
    expect(await rig.got(args)).toEqual({ 'a.nc': 'A' })
    server.on('/b.nc', serving('B')).on('/b.nc.sha256', serving(sha256('C')))
    expect(await rig.got({ ...args, url: server.url('/b.nc'), retries: { count: 0 } })).toContain(
      `not ${sha256('C')}`,
    )
    server.on('/c.nc', serving('C')).on('/c.nc.sha256', serving('<html>'))
    expect(await rig.got({ ...args, url: server.url('/c.nc') })).toContain('has no checksum of it')
    server.on('/d.nc', serving('D'))
    expect(await rig.got({ ...args, url: server.url('/d.nc') })).toContain(
      `${server.url('/d.nc.sha256')} does not exist there`,
    )
  })

  it('reads a file of checksums in no time, whatever a server has put there', async () => {
    const blanks = ' '.repeat(60_000)
    server.on('/a.nc', serving('A')).on('/a.nc.sha256', serving(`${sha256('A')}${blanks}/\n${sha256('A')}\n`))
    const began = performance.now()
    expect(await rig.got({ url: server.url('/a.nc'), checksums: '{url}.sha256' })).toEqual({ 'a.nc': 'A' })
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('a file that is there already must have the checksum that is given only now', async () => {
    server.on('/a', serving('A')).on('/b', serving('B'))
    await rig.got({ url: [server.url('/a'), server.url('/b')] })
    const hex = (text: string): string => Buffer.from(md5(text), 'base64').toString('hex')
    const checked = (name: string, content: string) => ({
      url: [{ url: server.url(name), md5: hex(content) }],
      retries: { count: 0 },
    })
    expect(await rig.got(checked('/a', 'A'))).toEqual({ a: 'A' })
    expect(rig.recorder.texts('run/0.2#1')).toEqual(['0 of 1 files fetched (0 bytes), 1 unchanged'])
    expect(await rig.got(checked('/b', 'A'))).toContain(`its md5 is ${hex('B')}, not ${hex('A')}`)
    expect(await rig.got({ ...checked('/b', 'A'), immutable: true })).toContain(`not ${hex('A')}`)
    expect(await rig.got({ ...checked('/b', 'B'), immutable: true })).toEqual({ b: 'B' })
  })

  it('a file that is there already must have the checksum that lies beside it only now', async () => {
    server.on('/a', serving('A')).on('/a.sum', serving(sha256('A')))
    server.on('/b', serving('B')).on('/b.sum', serving(sha256('A')))
    await rig.got({ url: [server.url('/a'), server.url('/b')] })
    const beside = (name: string) => ({
      url: server.url(name),
      checksums: '{url}.sum',
      retries: { count: 0 },
    })
    const said = `its sha256 is ${sha256('B')}, not ${sha256('A')}`
    expect([await rig.got(beside('/a')), await rig.got({ ...beside('/a'), immutable: true })]).toEqual([
      { a: 'A' },
      { a: 'A' },
    ])
    expect(await rig.got(beside('/b'))).toContain(said)
    expect(await rig.got({ ...beside('/b'), immutable: true })).toContain(said)
    // of what never changes, what was checked once is not asked for
    expect([server.count('/a'), server.count('/a.sum')]).toEqual([2, 1])
  })

  it('a file larger than allowed is refused, whether the server says so or not', async () => {
    server.on('/a', serving('12345')).on('/b', (_, response) => {
      response.writeHead(200).write('123')
      response.end('45')
    })
    for (const path of ['/a', '/b'])
      expect(await rig.got({ url: server.url(path), maxBytes: 4 })).toBe(
        `ALM_SOURCE_REFUSED ${server.url(path)} is not downloaded: it has more than 4 bytes.`,
      )
  })
})

describe('a server in trouble', () => {
  it('is asked again later, at the time that it says', async () => {
    server.on('/a', (request, response, n) => {
      if (n === 0) return void response.writeHead(429, { 'retry-after': '7' }).end()
      if (n === 1)
        return void response
          .writeHead(503, { 'retry-after': new Date(rig.clock.now() + 20_000).toUTCString() })
          .end()
      if (n === 2) return void response.writeHead(500).end()
      serving('A')(request, response, n)
    })
    expect(await rig.got({ url: server.url('/a') })).toEqual({ a: 'A' })
    expect(rig.clock.waits.map((ms) => Math.round(ms / 1000))).toEqual([7, 20, 4])
  })

  it('that wants to be left alone for hours is not waited for', async () => {
    server.on('/a', (_, response) => void response.writeHead(429, { 'retry-after': '86400' }).end())
    expect(await rig.got({ url: server.url('/a') })).toContain('it answered 429')
    expect(rig.clock.waits).toEqual([])
  })

  it('that falls silent is given up', async () => {
    server.on('/a', (_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('12345')
    })
    expect(await rig.got({ url: server.url('/a'), idleMs: 20, retries: { count: 0 } })).toContain(
      'it fell silent',
    )
  })

  it('that refuses is believed', async () => {
    server.on('/a', (_, response) => void response.writeHead(403).end())
    expect(await rig.got({ url: server.url('/a') })).toBe(
      `ALM_SOURCE_DENIED ${server.url('/a')} may not be read (HTTP 403).`,
    )
    expect(server.count('/a')).toBe(1)
  })

  it('is asked for no more at once than is said', async () => {
    let most = 0
    let held: ServerResponse[] = []
    for (let i = 0; i < 20; i++)
      server.on(`/${i}`, (_, response) => {
        held.push(response)
        most = Math.max(most, held.length)
        if (held.length < 2) return
        for (const one of held) one.end('x')
        held = []
      })
    const url = Array.from({ length: 20 }, (_, i) => server.url(`/${i}`))
    await rig.got({ url, rate: { concurrency: 2 } })
    expect(most).toBe(2)
  })
})

describe('redirects', () => {
  const to =
    (location: string): Behaviour =>
    (_, response) =>
      void response.writeHead(302, { location }).end()

  it('are followed, and the file keeps the name that was asked for', async () => {
    server.on('/a.nc', to('/store/42')).on('/store/42', serving('A'))
    expect(await rig.got({ url: server.url('/a.nc') })).toEqual({ 'a.nc': 'A' })
  })

  it('in a circle, to a file, or to what is no URL are refused', async () => {
    server.on('/loop', to('/loop')).on('/file', to('file:///etc/passwd')).on('/none', to('http://'))
    expect(await rig.got({ url: server.url('/loop') })).toContain(
      'it leads to another place more than 10 times',
    )
    expect(await rig.got({ url: server.url('/file') })).toContain('it leads to a URL of protocol file:')
    expect(await rig.got({ url: server.url('/none') })).toContain('it leads to what is no URL')
  })

  it('to another host take no credentials with them', async () => {
    const other = await FaultyServer.open()
    other.on('/a', serving('A'))
    server
      .on('/a', to(other.url('/a', 'localhost')))
      .on('/b', to('/c'))
      .on('/c', serving('C'))
    const headers = { authorization: 'Bearer S', 'x-api-key': 'S' }
    expect(await rig.got({ url: [server.url('/a'), server.url('/b')] }, { headers })).toEqual({
      a: 'A',
      b: 'C',
    })
    expect(asked('/a')[0]).toMatchObject(headers)
    expect(asked('/c')[0]).toMatchObject(headers)
    expect(other.asked[0]?.headers).not.toHaveProperty('authorization')
    expect(other.asked[0]?.headers).not.toHaveProperty('x-api-key')
    await other.close()
  })

  it('to where clouds keep credentials are refused, and so is asking there', async () => {
    server.on('/a', to('http://169.254.169.254/latest/meta-data/'))
    const why =
      'its address is one where clouds keep credentials; source.http asks there with linkLocal: true'
    expect(await rig.got({ url: server.url('/a') })).toContain(why)
    for (const host of [
      '169.254.169.254',
      '[fe80::1]',
      '[::ffff:169.254.169.254]',
      '0xa9fea9fe',
      '[fd00:ec2::254]',
    ])
      expect(await rig.got({ url: `http://${host}/x` })).toContain(why)
  })
})

describe('what a server or an author may write', () => {
  it('names that lead elsewhere are refused', async () => {
    const long = 'x'.repeat(256)
    for (const [url, words] of [
      [server.url('/a%2f..%2f..%2fetc'), 'its last name has a "/" in it'],
      [server.url('/%ff'), 'its last name is not valid UTF-8'],
      [server.url('/a%00b'), 'a name has a NUL in it'],
      [server.url('/dir/'), 'its path ends without a name'],
      [server.url(`/${long}`), 'a name is longer than 255 bytes'],
      ['file:///etc/passwd', 'its protocol is file:'],
      ['ftp://host/x', 'its protocol is ftp:'],
      ['nonsense', 'it is no URL'],
    ] as const)
      expect(await rig.got({ url })).toContain(words)
    for (const path of ['../x', 'a/../x', '/x', 'a//x', '.'])
      expect(await rig.got({ url: server.url('/a'), to: path })).toContain('ALM_PATH_REFUSED')
    expect(server.asked).toEqual([])
  })

  it('two files of one path are refused before anything is fetched', async () => {
    expect(await rig.got({ url: [server.url('/a/x'), server.url('/b/x')] })).toBe(
      `ALM_SOURCE_REFUSED ${server.url('/b/x')} is not downloaded: it would be x, which ${server.url('/a/x')} is; say to.`,
    )
    expect(server.asked).toEqual([])
  })

  it('a name that the server gives does not count', async () => {
    server.on('/a', (_, response) => {
      response.writeHead(200, { 'content-disposition': 'attachment; filename="../../etc/passwd"' }).end('A')
    })
    expect(await rig.got({ url: server.url('/a') })).toEqual({ a: 'A' })
  })

  it('content that comes packed is unpacked, but for files that are called packed', async () => {
    const packed = gzipSync('content')
    const behaviour = (_: unknown, response: ServerResponse) =>
      void response
        .writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length })
        .end(packed)
    server.on('/a.csv', behaviour).on('/a.csv.gz', behaviour)
    expect(await rig.got({ url: server.url('/a.csv') })).toEqual({ 'a.csv': 'content' })
    expect(await rig.got({ url: server.url('/a.csv.gz') })).toEqual({ 'a.csv.gz': packed.toString() })
    expect(await rig.got({ url: server.url('/a.csv'), maxBytes: 3 })).toContain('more than 3 bytes')
    server.on(
      '/b',
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip'),
    )
    expect(await rig.got({ url: server.url('/b') })).toContain('it is damaged')
  })

  it('user, password and signatures reach the server, and no name, error or log', async () => {
    const url = `http://me:secret1@127.0.0.1:${server.port}/a?token=secret2&day=1`
    const safe = server.url('/a?day=1')
    server.on('/a', (_, response) => void response.writeHead(500).end('secret3'))
    const urls = new Map([[safe, url]])
    const end = await rig.fetch({ url: safe }, { urls })
    expect(JSON.stringify([end, rig.recorder.of('run/0.1#1')])).not.toContain('secret')
    server.on('/a', serving('A'))
    expect(await rig.got({ url: safe }, { urls })).toEqual({ a: 'A' })
    expect(server.asked.at(-1)).toMatchObject({
      path: '/a?token=secret2&day=1',
      headers: { authorization: `Basic ${Buffer.from('me:secret1').toString('base64')}` },
    })
    expect([...rig.downloads.names.keys()]).toEqual([safe])
  })
})
