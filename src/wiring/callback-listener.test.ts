import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openMemoryJournal } from '../journal/memory/open.ts'
import { isAlmanacError } from '../model/errors.ts'
import { sha256 } from '../system/hash.ts'
import { aCall, anAsk, aRun } from '../testing/journal-records.ts'
import { type ListenerParts, listenForCallbacks } from './callback-listener.ts'
import { type CallbackPlace, callbackPlace } from './callback-place.ts'
import { callbackTokens } from './callback-tokens.ts'

const token = 'a'.repeat(43)
const json = { 'content-type': 'application/json' }
let place: CallbackPlace
let accepted: string[]
let close: () => Promise<void>
let kept: ReturnType<typeof openMemoryJournal>

/** As commands check it. */
const misfit = (schema: object, value: unknown): string | undefined =>
  z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value).error?.message

/** A port that is free. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** At another port where somebody else was faster. */
async function listen(parts: ListenerParts): Promise<() => Promise<void>> {
  for (;;) {
    place = callbackPlace({}, `127.0.0.1:${await freePort()}`)
    try {
      return await listenForCallbacks(place, parts)
    } catch (error) {
      if (!isAlmanacError(error) || error.code !== 'ALM_LISTEN_FAILED') throw error
    }
  }
}

beforeEach(async () => {
  accepted = []
  kept = openMemoryJournal()
  await kept.journal.create(aRun('run1'))
  const schemaWire = JSON.stringify({
    type: 'object',
    properties: { n: { type: 'number' } },
    required: ['n'],
  })
  await kept.journal.append('run1', [
    aCall(0, { call_kind: 'callback' }),
    { ...anAsk(0), of: 'callback', token: sha256(token), schemaWire },
  ])
  close = await listen({
    ...kept,
    misfit,
    accepted: (run, call) => accepted.push(`${run} ${call}`),
    now: () => 7,
  })
})

afterEach(() => close())

const answers = async () => (await kept.journal.take('run1')).answers.map((one) => one.answerWire)

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

async function ask(
  path: string,
  { method = 'POST', headers = json, body = '' }: Asked = {},
): Promise<[number, unknown]> {
  const init = { method, headers, ...(method === 'POST' && { body }) }
  const response = await fetch(`http://${place.host}:${place.port}${path}`, init)
  return [response.status, method === 'HEAD' ? '' : await response.json()]
}

describe('what listens for callbacks', () => {
  it('accepts what fits, once, and under any base', async () => {
    expect(await ask(`/base/callbacks/${token}`, { body: '{"n":1,"$":"file","__proto__":{"a":1}}' })).toEqual(
      [200, { accepted: true }],
    )
    expect([accepted, (await answers()).length]).toEqual([['run1 0'], 1])
    expect(await ask(`/callbacks/${token}`, { body: '{"n":2}' })).toEqual([
      410,
      { error: 'it was called before' },
    ])
  })

  it('counts one of two that come at the same time', async () => {
    const both = [1, 2].map((n) => ask(`/callbacks/${token}`, { body: JSON.stringify({ n }) }))
    expect((await Promise.all(both)).map(([status]) => status).toSorted((a, b) => a - b)).toEqual([200, 410])
    expect((await answers()).length).toBe(1)
  })

  it('tells nothing to whoever does not know the token', async () => {
    const unknown = [404, { error: 'not found' }]
    for (const path of [
      '/',
      '/callbacks/',
      `/callbacks/${'b'.repeat(43)}`,
      `/callbacks/${token}x`,
      `/callbacks/${token}/x`,
    ])
      expect(await ask(path)).toEqual(unknown)
    expect(await ask(`/callbacks/${'b'.repeat(43)}`, { method: 'GET', headers: {} })).toEqual(unknown)
  })

  it.each<[string, Asked, number]>([
    ['another method', { method: 'GET', headers: {} }, 405],
    ['another type', { headers: { 'content-type': 'text/plain' }, body: '{"n":1}' }, 415],
    ['what is no JSON', { body: '{' }, 400],
    ['what does not fit', { body: '{"n":"x"}' }, 422],
    ['nothing, where something is wanted', { headers: {} }, 422],
    ['what is nested too deep', { body: `{"n":1,"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}` }, 422],
  ])('refuses %s, and the callback stays open', async (_, asked, status) => {
    expect((await ask(`/callbacks/${token}`, asked))[0]).toBe(status)
    expect(await answers()).toEqual([])
    expect((await ask(`/callbacks/${token}`, { body: '{"n":1}' }))[0]).toBe(200)
  })

  it.each([{}, { 'content-length': `${2 ** 21}` }])(
    'reads no more than a MiB, whatever length is said: %o',
    async (more) => {
      const { port, host } = place
      const headers = { ...json, ...more }
      const status = await new Promise((resolve) => {
        const sent = request(
          { host, port, path: `/callbacks/${token}`, method: 'POST', headers },
          (answer) => {
            resolve(answer.statusCode)
            sent.destroy()
          },
        )
        sent.on('error', resolve)
        for (let i = 0; i < 18; i++) sent.write('x'.repeat(65_536))
      })
      expect([status, accepted, await answers()]).toEqual([413, [], []])
      expect((await ask(`/callbacks/${token}`, { body: '{"n":1}' }))[0]).toBe(200)
    },
  )

  it('is not held up by connections that say nothing', async () => {
    const silent = Array.from({ length: 20 }, () => connect(place.port, place.host))
    expect((await ask(`/callbacks/${token}`, { body: '{"n":1}' }))[0]).toBe(200)
    for (const one of silent) one.destroy()
  })

  it('says where something listens already', async () => {
    const again = listenForCallbacks(place, {
      ...kept,
      misfit: () => undefined,
      accepted: () => undefined,
      now: () => 0,
    })
    await expect(again).rejects.toMatchObject({ code: 'ALM_LISTEN_FAILED' })
  })
})

describe('the place of callbacks', () => {
  it.each(['x', '127.0.0.1', '127.0.0.1:0', '127.0.0.1:70000', 'http://a:1', ':80'])(
    'is none at %s',
    (listen) => {
      expect(() => callbackPlace({}, listen)).toThrow(`--listen ${listen}: it is a`)
      const callbacks = { listen }
      expect(() => callbackPlace({ callbacks })).toThrow(
        `almanac.config.ts is not valid: callbacks.listen ${listen}: it is a`,
      )
    },
  )

  it('is called as the project says', () => {
    const callbacks = { listen: '[::1]:9000', url: 'https://host/almanac/' }
    expect(callbackPlace({ callbacks })).toEqual({ host: '::1', port: 9000, url: 'https://host/almanac' })
    for (const url of ['ftp://a', 'https://u:p@a', 'https://a?b', 'a'])
      expect(() => callbackPlace({ callbacks: { url } })).toThrow('callbacks.url')
  })
})

describe('tokens', () => {
  it('are the same for the same call, by a secret that only its owner reads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'almanac-tokens-'))
    const path = join(folder, 'home', 'callbacks.key')
    const made = await Promise.all(
      Array.from({ length: 8 }, () => callbackTokens(path, place).token('run1', 'k')),
    )
    expect(new Set(made).size).toBe(1)
    expect(made[0]).toMatch(/^[\w-]{43}$/)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { token: tokenOf } = callbackTokens(path, place)
    expect(new Set([made[0], await tokenOf('run1', 'l'), await tokenOf('run2', 'k')]).size).toBe(3)
    rmSync(folder, { recursive: true })
  })
})
