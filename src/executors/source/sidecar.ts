import { AlmanacError } from '../../model/errors.ts'
import { shownUrl } from '../../model/source.ts'
import type { Checksum } from '../../ports/downloads.ts'
import { refusal } from './refusals.ts'
import type { FileRequest, Manner } from './request.ts'
import { sendRequest } from './send-request.ts'
import type { FetchTools } from './tools.ts'

const longestSidecar = 65_536

/** The checksum in a file beside it, as `sha256sum` writes it: `<hex>  name`, or the hexadecimal alone. */
export async function sidecar(
  tools: FetchTools,
  request: FileRequest,
  manner: Manner,
): Promise<Checksum | undefined> {
  if (request.sidecar === undefined) return undefined
  const answer = await sendRequest(tools, manner, request.sidecar, {})
  if (answer.status !== 200) {
    answer.drop()
    throw refusal(answer.status, answer.headers, shownUrl(request.sidecar), tools.clock)
  }
  let text = ''
  for await (const bytes of answer.body) {
    text += Buffer.from(bytes).toString('latin1')
    if (text.length > longestSidecar) answer.drop()
  }
  const own = request.url.pathname.slice(request.url.pathname.lastIndexOf('/') + 1)
  for (const line of text.split('\n')) {
    const value = /^([0-9a-f]{64}|[0-9a-f]{32})(?=\s|$)/i.exec(line)?.[1]
    if (value === undefined) continue
    // `*` marks a binary file; the name may have a way before it
    const path = line.slice(value.length).trim().replace(/^\*/, '')
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (path !== '' && name !== own && name !== safeDecode(own)) continue
    return { algorithm: value.length === 64 ? 'sha256' : 'md5', value: value.toLowerCase() }
  }
  const why = `${shownUrl(request.sidecar)} has no checksum of it`
  throw new AlmanacError('ALM_SOURCE_REFUSED', { url: request.name, why })
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
