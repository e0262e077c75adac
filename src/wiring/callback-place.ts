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

/** What a person says goes before the environment, and that before what the project says. @throws ALM_CONFIG */
export function callbackPlace({ callbacks }: AlmanacConfig, given?: string): CallbackPlace {
  const listen = given ?? (process.env['ALMANAC_CALLBACKS_LISTEN'] || callbacks?.listen || usual)
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s/]+):(\d{1,5})$/.exec(listen)
  const port = Number(parts?.[2])
  const host = parts?.[1] ?? ''
  if (parts === null || port > 65535)
    throw refused('callbacks.listen', listen, 'an address like 127.0.0.1:8787')
  if (port === 0)
    throw refused('callbacks.listen', listen, 'a fixed port: URLs that were given away must hold')
  const url = process.env['ALMANAC_CALLBACKS_URL'] || callbacks?.url || `http://${listen}`
  if (!isBase(url)) throw refused('callbacks.url', url, 'a URL like https://host/almanac')
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

const refused = (name: string, given: unknown, wanted: string): AlmanacError =>
  new AlmanacError('ALM_CONFIG', {
    file: 'almanac.config.ts',
    why: `${name} ${String(given)}: it is ${wanted}`,
  })
