import { AlmanacError } from './errors.ts'

/**
 * What a workflow asks a server for, and how URLs are written where others may read them: in keys, in the journal, in
 * logs and errors there is no user, no password and no secret of a query.
 */

/** Names in a query whose values let one in, in signed URLs and others. */
const secretNames =
  /^(x-amz-.*|x-goog-.*|googleaccessid|awsaccesskeyid|signature|sig|expires|se|sp|sv|sr|st|spr|skoid|sktid|skt|ske|sks|skv|key-pair-id|policy|(access_?|auth_?|api_?|id_?|sas_?|session_?)?(token|key)|auth|authorization|appid|app_?key|passwd|password|pwd|secret|client_?secret|credential|credentials|code)$/i

/** Some names are as often those of what is asked for (`?key=a/b.nc`): their values are secret if they look so. */
const ambiguousNames = /^(key|code|policy|expires|st|se|sp|sr|sv)$/i
const looksSecret = (value: string): boolean => /^[\w~+=/-]{16,}$/.test(value) && !value.includes('/')

/** Of an Azure or CloudFront signature only together with it. */
const isSecret = (name: string, value: string, signed: boolean): boolean =>
  secretNames.test(name) && (!ambiguousNames.test(name) || signed || looksSecret(value))

const signatures = /^(sig|signature|x-amz-signature|x-goog-signature)$/i

/** @throws ALM_SOURCE_REFUSED where it is no URL, or not one of these protocols */
export function parseUrl(text: string, protocols: readonly string[] = ['http:', 'https:']): URL {
  // `user:password@host` would be one of a protocol `user:`
  const url = /^\s*[a-z][\w+.-]*:[/\\]/i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined)
    throw new AlmanacError('ALM_SOURCE_REFUSED', { url: unparsed(text), why: 'it is no URL' })
  if (!protocols.includes(url.protocol)) {
    const why = `its protocol is ${url.protocol} and not ${protocols.join(' or ')}`
    throw new AlmanacError('ALM_SOURCE_REFUSED', { url: shownUrl(url), why })
  }
  url.hash = ''
  return url
}

/** The URL without anything that lets one in: what it is known by. */
export const safeUrl = (url: URL): string => safeText(url.href)

/** The same of a text that may be a template, and so no URL yet. */
export function safeText(text: string): string {
  const [, head = '', query] = /^([^?#]*)(?:\?([^#]*))?/s.exec(text.trim()) ?? []
  const place = head.replace(/^([a-z][\w+.-]*:[/\\]*)[^/\\]*@/i, '$1')
  if (query === undefined) return place
  const pairs = query.split('&').map((pair) => [pair, ...nameAndValue(pair)] as const)
  const signed = pairs.some(([, name]) => signatures.test(name))
  const kept = pairs.filter(([pair, name, value]) => pair !== '' && !isSecret(name, value, signed))
  return kept.length === 0 ? place : `${place}?${kept.map(([pair]) => pair).join('&')}`
}

function nameAndValue(pair: string): readonly [name: string, value: string] {
  const [[name, value] = ['', '']] = new URLSearchParams(pair)
  return [name, value]
}

/**
 * What of a URL lets one in, as texts to be kept out of logs and results: the whole URL first. Short values count with
 * their names only, as they may be any word.
 */
export function secretsIn(text: string): readonly string[] {
  if (safeText(text) === text) return []
  const found = new Set([text])
  const [, user] = /^[a-z][\w+.-]*:\/\/([^/]*)@/i.exec(text) ?? []
  if (user !== undefined) {
    const password = user.slice(user.indexOf(':') + 1)
    found.add(`${user}@`)
    for (const one of [password, decoded(password)]) if (one.length >= longEnough) found.add(one)
  }
  const open = new Set(queryOf(safeText(text)))
  for (const pair of queryOf(text)) {
    const [name, value] = nameAndValue(pair)
    if (open.has(pair) || harmlessNames.test(name) || value === '') continue
    found.add(pair)
    for (const one of [pair.slice(pair.indexOf('=') + 1), value]) if (one.length >= longEnough) found.add(one)
  }
  return [...found].sort((a, b) => b.length - a.length)
}

const longEnough = 8
/** part of a signature, and nothing without it */
const harmlessNames =
  /^(x-(amz|goog)-(date|expires|algorithm|signedheaders|content-sha256|checksum-mode)|expires|se|sp|sv|sr|st|spr|ske|sks|skv|x-id)$/i
const queryOf = (text: string): readonly string[] => (/\?([^#]*)/s.exec(text)?.[1] ?? '').split('&')

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** For people: of a URL that a server made up nothing of the query is shown. */
export const shownUrl = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`

/** What a text that is no URL may show: nothing before an `@`, nothing of a query. */
const unparsed = (text: string): string => {
  const plain = text.replace(/[?#].*$/s, '').replace(/^.*@/s, '')
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain
}

/** Headers of a request that are no secret; of all others only the names are kept. */
const openHeaders = new Set(['accept', 'accept-language', 'user-agent', 'from'])

export const isOpenHeader = (name: string): boolean => openHeaders.has(name.toLowerCase())

/** What a source's call holds besides its arguments, in memory only: full URLs by safe ones, and full headers. */
export interface SourceSecrets {
  readonly urls: ReadonlyMap<string, string>
  readonly headers: Readonly<Record<string, string>>
}
