import type { Answer } from './client.ts'
import type { Manner } from './request.ts'
import type { FetchTools } from './tools.ts'

/** One request in the manner of a call, of a file or of what tells its checksum. */
export async function sendRequest(
  { client, signal }: Pick<FetchTools, 'client' | 'signal'>,
  manner: Manner,
  url: URL,
  conditions: Readonly<Record<string, string>>,
): Promise<Answer> {
  const { username, password } = url
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)
  return await client.ask({
    url,
    headers: { 'accept-encoding': 'identity', ...manner.headers, ...conditions },
    secret: {
      ...(username !== '' && { authorization: `Basic ${basic.toString('base64')}` }),
      ...manner.secretHeaders,
    },
    idleMs: manner.idleMs,
    linkLocal: manner.linkLocal,
    signal,
  })
}
