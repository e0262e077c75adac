import { describe, expect, it } from 'vitest'
import type { SourceSecrets } from '../model/source.ts'
import type { Value } from '../model/value.ts'
import type { Caller, CallRequest } from '../ports/caller.ts'
import { bindAmbient } from './ambient.ts'
import { type HttpSource, source } from './source.ts'

/** What a workflow function asks for. */
function asked(make: () => unknown): CallRequest & { readonly args: Value; readonly secrets: SourceSecrets } {
  let request: (CallRequest & { readonly args: Value }) | undefined
  const caller: Caller = {
    run: 'run',
    path: 'test',
    call: (one, args) => {
      request = { ...one, args }
      return 0
    },
    enteredAt: 0,
    outcome: () => undefined,
    withdraw: () => undefined,
    becauseOf: () => undefined,
    unheard: () => undefined,
    remote: {
      whenStuck: () => undefined,
      atWork: () => () => undefined,
      whenCancelled: () => undefined,
      whenOver: () => undefined,
      load: () => Promise.reject(new Error('there are no files')),
      declare: () => undefined,
    },
    note: () => undefined,
  }
  bindAmbient({ current: () => caller, run: (_, fn) => fn() })
  make()
  const { fn, ...rest } = request as NonNullable<typeof request>
  return { ...rest, secrets: (fn as unknown as () => SourceSecrets)() }
}

describe('source.http', () => {
  it('keeps secrets beside its arguments', () => {
    const options: HttpSource = {
      url: ['https://u:p@host/a?token=t', { url: 'https://host/b?sig=s', to: 'x' }, 'https://host/c'],
      headers: { Authorization: 'Bearer t', Accept: 'text/csv' },
      rate: { perSecond: 2 },
      retries: { count: 1, delay: '2s' },
      maxBytes: '1KiB',
    }
    const { args, secrets, kind, name, task } = asked(() => source.http(options))
    expect({ args, kind, name, cache: task?.policy.cache }).toEqual({
      kind: 'task',
      name: 'source.http',
      cache: false,
      args: {
        url: ['https://host/a', { url: 'https://host/b', to: 'x' }, 'https://host/c'],
        headers: { authorization: null, accept: 'text/csv' },
        rate: { perSecond: 2 },
        retries: { count: 1, delayMs: 2000 },
        maxBytes: 1024,
      },
    })
    expect(secrets).toEqual({
      urls: new Map([
        ['https://host/a', 'https://u:p@host/a?token=t'],
        ['https://host/b', 'https://host/b?sig=s'],
      ]),
      headers: { authorization: 'Bearer t' },
    })
  })

  it('refuses URLs that only a secret tells apart, and what is no duration or size', () => {
    const url = ['https://host/a?token=1', 'https://host/a?token=2']
    expect(() => asked(() => source.http({ url }))).toThrow('differ in nothing but what looks like a secret')
    const plain = ['https://host/a', 'https://host/a?token=2']
    expect(() => asked(() => source.http({ url: plain }))).toThrow('differ in nothing')
    expect(() => asked(() => source.http({ url: 'x', idle: 'soon' as '1s' }))).toThrow('no duration')
    expect(() => asked(() => source.http({ url: 'x', maxBytes: 'big' as '1KiB' }))).toThrow('no size')
  })
})

describe('source.s3', () => {
  it('asks for what it was told, and refuses credentials in an endpoint', () => {
    const { args } = asked(() => source.s3({ bucket: 'b', prefix: 'p/', include: ['*.nc'], immutable: true }))
    expect(args).toEqual({ bucket: 'b', prefix: 'p/', include: ['*.nc'], immutable: true })
    expect(() => asked(() => source.s3({ bucket: 'b', endpoint: 'https://u:p@host' }))).toThrow('a password')
  })
})

describe('source.days', () => {
  it('counts days in UTC, both ends included', () => {
    expect(source.days('2026-02-27', '2026-03-01')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
    expect(source.days(new Date('2026-01-01T23:00:00Z'), '2026-01-01')).toEqual(['2026-01-01'])
    expect(source.days('2026-01-02', '2026-01-01')).toEqual([])
    expect(() => source.days('soon', '2026-01-01')).toThrow('"soon" is no date')
    expect(() => source.days('1700-01-01', '2026-01-01')).toThrow('more than 100 000 days')
  })
})
