import { describe, expect, it } from 'vitest'
import { decode, encode } from './codec.ts'
import { UrlRef } from './refs.ts'
import { secretsIn } from './source.ts'

describe('a file at a URL', () => {
  const object = {
    bucket: 'b',
    key: 'k/ü',
    endpoint: 'http://host',
    region: 'r',
    pathStyle: true,
    anonymous: true,
  }
  const pinned = new UrlRef('http://host/b/k/ü', 7, 'v1', true, object)
  const plain = new UrlRef('https://host/a?day=1', 0, undefined, false)

  it('is written without the URL that a task reads it at', () => {
    expect(decode(encode([pinned, plain]))).toEqual([pinned, plain])
    const signed = new UrlRef(plain.place, 0, '"e"', false, undefined, 'https://host/a?day=1&token=s3cret')
    expect(encode(signed)).toBe('{"$":"url","place":"https://host/a?day=1","size":0,"version":"\\"e\\""}')
  })

  it.each([
    '{"$":"url","size":1}',
    '{"$":"url","place":"x","size":-1}',
    '{"$":"url","place":"x","size":1,"version":7}',
    '{"$":"url","place":"x","size":1,"object":null}',
    '{"$":"url","place":"x","size":1,"object":{"bucket":"b"}}',
    '{"$":"url","place":"x","size":1,"object":{"bucket":"b","key":"k","anonymous":"yes"}}',
  ])('is refused as %s', (text) => {
    expect(() => decode(text)).toThrow('cannot be kept')
  })
})

describe('what lets one in', () => {
  it('is the whole URL, and what of it is long enough to be told from a word', () => {
    expect(secretsIn('https://host/a?day=1')).toEqual([])
    expect(secretsIn('https://me:pw@host/a?day=1')).toEqual(['https://me:pw@host/a?day=1', 'me:pw@'])
    expect(secretsIn('https://host/a?token=a%2Bb%2Bc%2Bdef&day=1')).toEqual([
      'https://host/a?token=a%2Bb%2Bc%2Bdef&day=1',
      'token=a%2Bb%2Bc%2Bdef',
      'a%2Bb%2Bc%2Bdef',
      'a+b+c+def',
    ])
  })

  it('is not what belongs to a signature and is nothing without it', () => {
    const signed = 'https://host/a?X-Amz-Date=20260101T000000Z&X-Amz-Expires=86400&X-Amz-Signature=abc'
    expect(secretsIn(signed)).toEqual([signed, 'X-Amz-Signature=abc'])
  })
})
