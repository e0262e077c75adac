import { AlmanacError } from '../../model/errors.ts'
import { shownUrl } from '../../model/source.ts'
import type { Checksum } from '../../ports/downloads.ts'
import { question } from './question.ts'
import { refusal } from './refusals.ts'
import type { Manner, Wanted } from './request.ts'
import type { FetchTools } from './tools.ts'

const longestSidecar = 65_536

/** The checksum in a file beside it, as `sha256sum` writes it: `<hex>  name`, or the hexadecimal alone. */
export async function sidecar(
  tools: FetchTools,
  wanted: Wanted,
  manner: Manner,
): Promise<Checksum | undefined> {
  if (wanted.sidecar === undefined) return undefined
  const answer = await question(tools, manner, wanted.sidecar, {})
  if (answer.status !== 200) {
    answer.drop()
    throw refusal(answer.status, answer.headers, shownUrl(wanted.sidecar), tools.clock)
  }
  let text = ''
  for await (const bytes of answer.body) {
    text += Buffer.from(bytes).toString('latin1')
    if (text.length > longestSidecar) answer.drop()
  }
  const own = wanted.url.pathname.slice(wanted.url.pathname.lastIndexOf('/') + 1)
  for (const line of text.split('\n')) {
    const [, value, name] = /^([0-9a-f]{64}|[0-9a-f]{32})(?:\s+[*]?(?:.*\/)?([^/]+?))?\s*$/i.exec(line) ?? []
    if (value === undefined || (name !== undefined && name !== own && name !== safeDecode(own))) continue
    return { algorithm: value.length === 64 ? 'sha256' : 'md5', value: value.toLowerCase() }
  }
  const why = `${shownUrl(wanted.sidecar)} has no checksum of it`
  throw new AlmanacError('ALM_SOURCE_REFUSED', { url: wanted.name, why })
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
