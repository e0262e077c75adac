import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import {
  type Almanac,
  command,
  json,
  open,
  python,
  script,
  type TaskContext,
  task,
  type Url,
  url,
  workflow,
} from '../../src/index.ts'
import { FaultyServer, serving } from '../../src/testing/faulty-server.ts'

let folder: string
let server: FaultyServer
let almanac: Almanac

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-urls-'))
  server = await FaultyServer.open()
  almanac = await open({ project: folder })
})

afterEach(async () => {
  await almanac.close()
  await server.close()
  removeTree(folder)
})

/** Everything that is kept, as one text. */
function kept(path = folder): string {
  const below = readdirSync(path).map((name) => join(path, name))
  return below
    .map((one) => (statSync(one).isDirectory() ? kept(one) : readFileSync(one, 'latin1')))
    .join('\n')
}

const methods = (path: string) => server.asked.filter((one) => one.path === path).map((one) => one.method)
const text = async (at: string): Promise<string> => await (await fetch(at)).text()

const read = task('read', { version: '1' }, async (from: Url) => ({
  place: from.place,
  text: await text(from.href),
}))

it('is given to a function as a URL, and read by nobody else', async () => {
  server.on('/a.nc', serving('AAAA'))
  const at = server.url('/a.nc')
  const once = workflow('once', async () => read(url.http(at)))
  expect(await almanac.run(once)).toEqual({ place: at, text: 'AAAA' })
  // the look, the check before, the task itself, and the check after
  expect(methods('/a.nc')).toEqual(['HEAD', 'HEAD', 'GET', 'HEAD'])
})

it('is a text for Python, for commands and for scripts', async () => {
  server.on('/a.nc', serving('AAAA'))
  writeFileSync(
    join(folder, 'steps.py'),
    'def told(scene, scenes):\n    return [type(scene).__name__, scene, scenes["b"]]\n',
  )
  const at = server.url('/a.nc')
  const inPython = python.task({
    run: join(folder, 'steps.py:told'),
    input: { scene: url(), scenes: json<{ b: Url }>() },
    output: { told: json<string[]>() },
  })
  const inCommand = command.task({
    name: 'echo',
    run: ['sh', '-c', 'printf "{{\\"told\\":\\"%s\\"}}" "$1" > "$ALMANAC_RESULT"', 'sh', '{in.scene}'],
    input: { scene: url() },
    output: { told: json<string>() },
  })
  const inScript = script.task({
    name: 'say',
    lang: 'bash',
    source: 'printf "{\\"told\\":\\"%s\\"}" "$ALMANAC_IN_scene" > "$ALMANAC_RESULT"',
    input: { scene: url() },
    output: { told: json<string>() },
  })
  const all = workflow('all', async () => {
    const scene = url.http(at)
    return [
      await inPython({ scene, scenes: { b: scene } }).told,
      await inCommand({ scene }).told,
      await inScript({ scene }).told,
    ]
  })
  expect(await almanac.run(all)).toEqual([['str', at, at], at, at])
})

it('counts by place, version and size: a new run looks again, and executes what has changed', async () => {
  server.on('/a', serving('A'))
  const handle = async () => {
    const started = await almanac.start(
      workflow('counts', async () => read(url.http(server.url('/a')))),
      undefined,
    )
    const { output, executed, reused } = await started.result
    return [(output as { text: string }).text, executed, reused]
  }
  expect(await handle()).toEqual(['A', 2, 0])
  expect(await handle()).toEqual(['A', 1, 1])
  server.on('/a', serving('B', '"v2"'))
  expect(await handle()).toEqual(['B', 2, 0])
})

it('is remembered by a run that goes on, which does not look again', async () => {
  server.on('/a', serving('A'))
  let fail = true
  const late = task('late', { version: '1' }, (_: string) => {
    if (fail) throw new Error('not yet')
    return 'done'
  })
  const flow = workflow('resumed', async () => late((await url.http(server.url('/a'))).place))
  const first = await almanac.start(flow, undefined)
  expect((await first.result).state).toBe('failed')
  fail = false
  const again = await almanac.resume(first.id, flow)
  expect((await again.result).output).toBe('done')
  expect(methods('/a')).toEqual(['HEAD'])
})

it('fails its reader by name where the file became another one while it was read', async () => {
  server.on('/a', serving('A'))
  const slow = task('slow', async (from: Url) => {
    server.on('/a', serving('another', '"v2"'))
    return text(from.href)
  })
  const flow = workflow('changed', async () => slow(url.http(server.url('/a'))))
  await expect(almanac.run(flow)).rejects.toMatchObject({
    code: 'ALM_INPUT_URL_CHANGED',
    message: `${server.url('/a')} is no longer what the run looked at: its version was "v1", and is "v2".`,
  })
})

it('fails its reader before it begins where the file has changed, or is gone', async () => {
  let began = 0
  const never = task('never', (_: Url) => {
    began++
  })
  const meanwhile = task('meanwhile', (_: string, gone: boolean) => {
    server.on('/a', gone ? (_, response) => void response.writeHead(404).end() : serving('A2', '"v1"'))
    return 0
  })
  for (const gone of [true, false]) {
    server.on('/a', serving('A'))
    const flow = workflow('before', async () => {
      const a = await url.http(server.url('/a'))
      await meanwhile(a.place, gone)
      return never(a)
    })
    const why = gone ? 'it is gone' : 'it had 1 bytes, and has 2'
    await expect(almanac.run(flow)).rejects.toThrow(`is no longer what the run looked at: ${why}.`)
  }
  expect(began).toBe(0)
})

it('says why of the change rather than of the failure that came of it', async () => {
  server.on('/a', serving('A'))
  const fails = task('fails', (_: Url) => {
    server.on('/a', serving('B', '"v2"'))
    throw new Error('it made no sense')
  })
  const flow = workflow('torn', async () => fails(url.http(server.url('/a'))))
  await expect(almanac.run(flow)).rejects.toMatchObject({ code: 'ALM_INPUT_URL_CHANGED' })
})

it('refuses a file of which nobody could see a change, unless it never does', async () => {
  const bare = (etag: Record<string, string>) =>
    server.on('/a', (_, response) => void response.writeHead(200, { ...etag, 'content-length': 1 }).end('A'))
  const flow = (options = {}) => workflow('bare', async () => read(url.http(server.url('/a'), options)))
  for (const etag of [{}, { etag: 'W/"v1"' }]) {
    bare(etag)
    await expect(almanac.run(flow())).rejects.toThrow('the server names no version of it (no strong ETag)')
    expect(await almanac.run(flow({ immutable: true }))).toMatchObject({ text: 'A' })
  }
})

it('asks for the first byte where a server does not answer HEAD', async () => {
  for (const status of [403, 405, 501]) {
    for (const content of ['AAAA', '']) {
      server.on('/a', (request, response, n) => {
        if (request.method === 'HEAD') return void response.writeHead(status).end()
        if (request.headers.range === undefined) return serving(content)(request, response, n)
        const range = content === '' ? 'bytes */0' : `bytes 0-0/${content.length}`
        const code = content === '' ? 416 : 206
        response.writeHead(code, { etag: '"v1"', 'content-range': range }).end(content.slice(0, 1))
      })
      const flow = workflow('headless', async () => (await url.http(server.url('/a'))).size)
      expect(await almanac.run(flow)).toBe(content.length)
    }
  }
})

it('tries again through what passes, and says what does not', async () => {
  server.on('/a', (request, response, n) =>
    n < 2 ? void response.writeHead(503).end() : serving('A')(request, response, n),
  )
  server.on('/denied', (_, response) => void response.writeHead(403).end())
  const size = (path: string) => workflow('size', async () => (await url.http(server.url(path))).size)
  expect(await almanac.run(size('/a'))).toBe(1)
  await expect(almanac.run(size('/none'))).rejects.toMatchObject({ code: 'ALM_SOURCE_MISSING' })
  await expect(almanac.run(size('/denied'))).rejects.toMatchObject({ code: 'ALM_SOURCE_DENIED' })
})

it('leaves nothing that lets one in, whatever the task prints, throws or reports', async () => {
  server.on('/a', serving('A'))
  const secrets = ['pass-w0rd-of-mine', 's1gned-by-me', 'AKIA-CREDENTIAL']
  const [password, signature, credential] = secrets
  const full = `http://me:${password}@127.0.0.1:${server.port}/a?day=1&X-Amz-Credential=${credential}&X-Amz-Signature=${signature}`
  const seen: string[] = []
  const leaky = task('leaky', (from: Url, fail: boolean, context: TaskContext) => {
    seen.push(from.href)
    console.log(from.href, from)
    context.event(`read ${from.href}`, { from: from.href })
    if (fail) throw new Error(`cannot read ${from.href}`)
    return from.place
  })
  const flow = (fail: boolean) => workflow('leaky', async () => leaky(url.http(full), fail))
  expect(await almanac.run(flow(false))).toBe(`${server.url('/a')}?day=1`)
  await expect(almanac.run(flow(true))).rejects.toThrow('cannot read …')
  expect(seen).toEqual([full, full])
  expect(server.asked[0]?.headers.authorization).toMatch(/^Basic /)
  writeFileSync(join(folder, 'leaky.py'), 'def leak(a):\n    print(a)\n    raise ValueError(f"no {a}")\n')
  const leak = python.task({ run: join(folder, 'leaky.py:leak'), input: { a: url() }, output: { n: json() } })
  await expect(almanac.run(workflow('py', async () => leak({ a: url.http(full) })))).rejects.toThrow('no …')
  const returns = task('returns', (from: Url) => ({ deep: [from.href] }))
  await expect(almanac.run(workflow('back', async () => returns(url.http(full))))).rejects.toMatchObject({
    code: 'ALM_RESULT_REFUSED',
  })
  await almanac.close()
  const all = kept()
  expect(all).toContain('/a?day=1')
  expect(secrets.filter((secret) => all.includes(secret))).toEqual([])
  almanac = await open({ project: folder })
})
