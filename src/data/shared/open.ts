import type { Objects } from '../../ports/objects.ts'
import { parseLocation, type S3Options } from '../s3/location.ts'
import { openS3 } from '../s3/open.ts'
import { LazyObjects } from './lazy-objects.ts'

/** A shared store by its address; nothing is loaded or asked before it is first used. @throws ALM_CONFIG */
export function openObjects(address: string, options: S3Options = {}): Objects {
  const location = parseLocation(address, options)
  const { bucket, prefix } = location
  return new LazyObjects(`s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`, () => openS3(location))
}
