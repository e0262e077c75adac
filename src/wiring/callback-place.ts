import type { AlmanacConfig } from '../flow/config.ts'
import { AlmanacError } from '../model/errors.ts'

/** Where callbacks are listened for, and how the world calls that. */
export interface CallbackPlace {
  readonly host: string
  readonly port: number
  /** without a slash at its end */
  readonly url: string
}

const usual = '127.0.0.1:8787'

/** What a person says goes before the environment, and that before what the project says. @throws ALM_USAGE, ALM_CONFIG */
export function callbackPlace({ callbacks }: AlmanacConfig, given?: string): CallbackPlace {
  const [listen, said] = first(
    usual,
    [given, '--listen'],
    [process.env['ALMANAC_CALLBACKS_LISTEN'], 'ALMANAC_CALLBACKS_LISTEN'],
    [callbacks?.listen, 'callbacks.listen'],
  )
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s/]+):(\d{1,5})$/.exec(listen)
  const port = Number(parts?.[2])
  const host = parts?.[1] ?? ''
  if (parts === null || port > 65535) throw refused(said, listen, 'an address like 127.0.0.1:8787')
  if (port === 0) throw refused(said, listen, 'a fixed port: URLs that were given away must hold')
  const [url, named] = first(
    `http://${listen}`,
    [process.env['ALMANAC_CALLBACKS_URL'], 'ALMANAC_CALLBACKS_URL'],
    [callbacks?.url, 'callbacks.url'],
  )
  if (!isBase(url)) throw refused(named, url, 'a URL like https://host/almanac')
  return { host: host.replace(/^\[|\]$/g, ''), port, url: url.replace(/\/+$/, '') }
}

function isBase(text: string): boolean {
  const url = URL.parse(text)
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.search === '' &&
    url.hash === '' &&
    url.username === ''
  )
}

type Said = readonly [text: string | undefined, name: string]

/** The first that says something, and who it is. */
function first(otherwise: string, ...all: readonly Said[]): readonly [text: string, name: string] {
  for (const [text, name] of all) if (text !== undefined && text !== '') return [text, name]
  return [otherwise, '']
}

function refused(name: string, given: string, wanted: string): AlmanacError {
  const why = `${name} ${given}: it is ${wanted}`
  if (!name.startsWith('callbacks.')) return new AlmanacError('ALM_USAGE', { why })
  return new AlmanacError('ALM_CONFIG', { file: 'almanac.config.ts', why })
}
