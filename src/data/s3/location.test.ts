import { describe, expect, it } from 'vitest'
import { parseLocation } from './location.ts'

describe('the address of a store', () => {
  it('names a bucket and a prefix', () => {
    expect(parseLocation('s3://farm')).toEqual({ bucket: 'farm', prefix: '' })
    expect(parseLocation('s3://farm/a//b c/')).toEqual({ bucket: 'farm', prefix: 'a/b c' })
  })

  it('says how it is spoken to, before what is said beside it', () => {
    const address = 's3://farm/x?endpoint=http://minio:9000&region=eu-1&pathStyle=false'
    expect(parseLocation(address, { endpoint: 'https://other', region: 'no', pathStyle: true })).toEqual({
      bucket: 'farm',
      prefix: 'x',
      endpoint: 'http://minio:9000',
      region: 'eu-1',
      pathStyle: false,
    })
    expect(parseLocation('s3://farm', { region: 'eu-1', pathStyle: true })).toEqual({
      bucket: 'farm',
      prefix: '',
      region: 'eu-1',
      pathStyle: true,
    })
  })

  it.each([
    ['https://farm', 'it begins with none of the stores that there are: s3://'],
    ['s3://F', '"F" cannot be the name of a bucket'],
    ['s3://farm/../x', '"../x" cannot be a prefix'],
    ['s3://farm?endpiont=x', 'it has an unknown option endpiont'],
    [
      's3://farm?endpoint=minio',
      '"minio" is no endpoint: it begins with http:// or https:// and has no path',
    ],
  ])('refuses %s and says why', (address, why) => {
    const refused = expect.objectContaining({
      code: 'ALM_CONFIG',
      details: { file: `store ${address}`, why },
    })
    expect(() => parseLocation(address)).toThrow(refused)
  })
})
