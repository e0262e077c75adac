import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseUrl, safeText, safeUrl, shownUrl } from './source.ts'

it.each([
  ['https://user:pw@host/a/b.nc', 'https://host/a/b.nc'],
  ['https://host/a?day=1&token=x&hour=2', 'https://host/a?day=1&hour=2'],
  ['https://host/a?X-Amz-Signature=x&X-Amz-Date=y&versionId=3', 'https://host/a?versionId=3'],
  ['https://host/a?sv=2026&se=2027&sp=r&sig=x&comp=list', 'https://host/a?comp=list'],
  ['https://host/a?sp=wind&st=5', 'https://host/a?sp=wind&st=5'],
  ['https://host/get?key=a/b.nc', 'https://host/get?key=a/b.nc'],
  ['https://host/get?key=AIzaSyD-9tSrke72PouQMnMX', 'https://host/get'],
  ['https://host/{day:YYYY/MM}/x.{hour}?api_key=x', 'https://host/{day:YYYY/MM}/x.{hour}'],
  ['https://host/a@b?x=c@d', 'https://host/a@b?x=c@d'],
  ['https:\\\\user:pw@host/a', 'https:\\\\host/a'],
  [' https://user@host/a#token=x', 'https://host/a'],
  ['https://host/a?to%6ben=x&b=1', 'https://host/a?b=1'],
])('of %s others may read %s', (text, safe) => {
  expect(safeText(text)).toBe(safe)
})

it('shows no user, no password and no signature, wherever they stand', () => {
  const word = fc.stringMatching(/^[a-z0-9.~-]{0,6}$/)
  const names = fc.constantFrom(
    'token',
    'sig',
    'X-Amz-Signature',
    'password',
    'access_token',
    'apikey',
    'Authorization',
  )
  fc.assert(
    fc.property(
      word,
      word,
      fc.array(fc.tuple(word, word)),
      names,
      fc.nat(3),
      (user, path, open, name, at) => {
        const pairs = open.map(([n, value]) => `${n}=${value}`)
        pairs.splice(at, 0, `${name}=S3CRET`)
        const text = `https://${user}:S3CRET@host/${path}?${pairs.join('&')}`
        expect(safeText(text)).not.toContain('S3CRET')
        expect(safeUrl(new URL(text))).not.toContain('S3CRET')
        expect(shownUrl(new URL(text))).not.toContain('S3CRET')
        expect(safeText(safeText(text))).toBe(safeText(text))
      },
    ),
  )
})

it('says of what is no URL nothing that may be secret', () => {
  for (const text of ['user:pw@ho st/x?token=y', 'ftp://user:pw@host/x?token=y', `${'x'.repeat(300)}`])
    expect(() => parseUrl(text)).toThrow(/^(?!.*(pw|token)).{0,300}$/s)
})
