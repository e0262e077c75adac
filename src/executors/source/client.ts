import type { LookupAddress, LookupAllOptions } from 'node:dns'
import type { Agent, Dispatcher } from 'undici'
import { AlmanacError } from '../../model/errors.ts'
import { parseUrl, shownUrl } from '../../model/source.ts'
import { isDeeper, literalAddress, type Place, placeOf } from './addresses.ts'
import { headerOf } from './response-checksums.ts'

const maxRedirects = 10
const redirects = new Set([301, 302, 303, 307, 308])

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

export interface Answer {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly body: AsyncIterable<Uint8Array>
  /** Reads no more of it. */
  drop(): void
  /** Whether, after the end of the body, the server went on with bytes that it had not announced. */
  saidMore(): Promise<boolean>
}

export interface Question {
  /** `GET` if absent */
  readonly method?: 'GET' | 'HEAD'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** for this origin alone: user's headers other than these, such as `authorization` */
  readonly secret: Readonly<Record<string, string>>
  /** longest silence, ms */
  readonly idleMs: number
  /** addresses where clouds keep a machine's credentials may be asked */
  readonly linkLocal: boolean
  readonly signal: AbortSignal
}

/**
 * Asks servers, one request at a time, with redirects followed here. Owns the connections.
 *
 * Q1 what is secret goes to the origin that it was given for, and to the same host where it moves from http to https.
 * Q2 nobody is led deeper into a network than where the first server is, nor from https to http, nor to a file.
 * Q3 bytes are given as they came: nothing is decoded.
 */
export class HttpClient {
  readonly #agents = new Map<Place, Promise<Dispatcher>>()
  readonly #places = new Map<string, Place>()
  /** how often a server of that origin said what no protocol has */
  readonly #broken = new Map<string, number>()

  async ask(question: Question): Promise<Answer> {
    let { url } = question
    let deepest: Place = question.linkLocal ? 'link-local' : 'loopback'
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const secret = isSameHouse(question.url, url) ? question.secret : {}
      const answer = await this.#once(question, url, { ...question.headers, ...secret }, deepest)
      const location = redirects.has(answer.status) ? headerOf(answer.headers, 'location') : undefined
      if (location === undefined) return answer
      answer.drop()
      deepest = this.#placeOf(url)
      url = redirected(url, location)
    }
    throw refused(question.url, `it leads to another place more than ${maxRedirects} times`)
  }

  async close(): Promise<void> {
    for (const agent of this.#agents.values()) await (await agent).destroy()
  }

  async #once(
    { method = 'GET', idleMs, signal }: Question,
    given: URL,
    headers: Readonly<Record<string, string>>,
    deepest: Place,
  ): Promise<Answer> {
    const literal = literalAddress(given.hostname)
    if (literal !== undefined && isDeeper(placeOf(literal), deepest)) throw tooDeep(given, placeOf(literal))
    const dispatcher = await this.#agent(deepest)
    const url = new URL(given)
    url.username = ''
    url.password = ''
    const { origin } = url
    const broken = this.#broken.get(origin) ?? 0
    try {
      const options = { dispatcher, headers, signal, headersTimeout: idleMs, bodyTimeout: idleMs }
      const { request } = await import('undici')
      const { statusCode, headers: received, body } = await request(url, { method, ...options })
      return {
        status: statusCode,
        headers: received,
        body,
        drop: () => {
          body.on('error', () => undefined)
          body.destroy()
        },
        saidMore: async () => {
          // the rest of what came is looked at after the end of the body
          for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
          return (this.#broken.get(origin) ?? 0) > broken
        },
      }
    } catch (error) {
      const place = (error as { place?: Place }).place
      throw place === undefined ? error : tooDeep(given, place)
    }
  }

  #placeOf(url: URL): Place {
    const literal = literalAddress(url.hostname)
    return literal === undefined ? (this.#places.get(url.hostname) ?? 'public') : placeOf(literal)
  }

  #agent(deepest: Place): Promise<Dispatcher> {
    let agent = this.#agents.get(deepest)
    if (agent === undefined) {
      agent = this.#open(deepest)
      this.#agents.set(deepest, agent)
    }
    return agent
  }

  async #open(deepest: Place): Promise<Dispatcher> {
    const [{ Agent, EnvHttpProxyAgent }, { lookup }] = await Promise.all([
      import('undici'),
      import('node:dns'),
    ])
    const options: Agent.Options = {
      connect: { timeout: 30_000, lookup: this.#lookup(lookup, deepest) as never },
      // throttles decide how many there are
      connections: 64,
      pipelining: 1,
      // what is asked of length and end is of HTTP/1.1
      allowH2: false,
    }
    const env = process.env
    const proxied = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'].some((name) => env[name])
    if (proxied) return new EnvHttpProxyAgent(options as never)
    const agent = new Agent(options)
    agent.on('disconnect', (origin, _, error) => {
      if (!/bad response|HPE_/.test(`${error.message} ${error.code}`)) return
      const key = new URL(String(origin)).origin
      this.#broken.set(key, (this.#broken.get(key) ?? 0) + 1)
    })
    return agent
  }

  /** Judges the very addresses that are connected to: names may change between two looks. */
  #lookup(lookup: typeof import('node:dns').lookup, deepest: Place) {
    return (
      host: string,
      options: LookupAllOptions,
      done: (error: Error | null, addresses: LookupAddress[]) => void,
    ): void => {
      lookup(host, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return done(error, [])
        const places = addresses.map(({ address }) => placeOf(address))
        const place = places.reduce((deep, one) => (isDeeper(one, deep) ? one : deep), 'public')
        this.#places.set(host, place)
        if (!isDeeper(place, deepest)) return done(null, addresses)
        done(Object.assign(new Error('not led there'), { place }), [])
      })
    }
  }
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (to === undefined) throw refused(from, 'it leads to what is no URL')
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw refused(from, `it leads from https to ${shownUrl(to)}`)
  if (to.protocol !== 'http:' && to.protocol !== 'https:')
    throw refused(from, `it leads to a URL of protocol ${to.protocol}`)
  return parseUrl(to.href)
}

const isSameHouse = (given: URL, url: URL): boolean =>
  given.origin === url.origin ||
  (given.protocol === 'http:' &&
    url.protocol === 'https:' &&
    given.hostname === url.hostname &&
    given.port === '' &&
    url.port === '')

const refused = (url: URL, why: string) => new AlmanacError('ALM_SOURCE_REFUSED', { url: shownUrl(url), why })

const tooDeep = (url: URL, place: Place): AlmanacError =>
  refused(
    url,
    place === 'link-local'
      ? 'its address is one where clouds keep credentials; source.http asks there with linkLocal: true'
      : `another server leads to it, and its address is ${place}`,
  )
