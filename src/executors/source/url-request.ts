import { AlmanacError } from '../../model/errors.ts'
import { parseUrl, type SourceSecrets, safeUrl } from '../../model/source.ts'
import type { Value } from '../../model/value.ts'
import type { UrlRequest } from '../../ports/urls.ts'
import { bucketOf } from './bucket.ts'
import { option, text } from './request.ts'

/** What a call of `url.http` or `url.s3` asks for. @throws ALM_OPTION_REFUSED, ALM_SOURCE_REFUSED */
export function urlRequestOf(args: Readonly<Record<string, Value>>, secrets: SourceSecrets): UrlRequest {
  if (args['bucket'] !== undefined) {
    const key = text(args['key'], 'key')
    const version = text(args['version'], 'version')
    if (key === undefined || key === '') throw option('key', 'it is missing')
    // a client would go to another key by that URL
    if (key.split('/').some((name) => name === '.' || name === '..'))
      throw option('key', 'a name in it is "." or "..", which no URL can say')
    return { object: { ...bucketOf(args), key }, ...(version !== undefined && { version }) }
  }
  const given = text(args['url'], 'url')
  if (given === undefined) throw option('url', 'it is missing')
  const full = secrets.urls.get(given) ?? given
  const place = safeUrl(parseUrl(full))
  // it came from a task, and is in the journal as it is: readers would be given it without its secret
  if (full === given && place !== given && parseUrl(place).href !== parseUrl(full).href)
    throw new AlmanacError('ALM_SOURCE_REFUSED', {
      url: place,
      why: 'a task made it, with a secret in it; name it in the workflow itself',
    })
  return { url: full, ...(args['immutable'] === true && { immutable: true }) }
}
