import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import { describeThrown } from './thrown-values.ts'

let folder = ''
let file = ''
let throwing: Record<string, (via: (fn: () => void) => void) => void> = {}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'author (1) '))
  file = join(folder, 'my steps.mjs')
  writeFileSync(
    file,
    `export function direct() {
  throw new RangeError('out of range')
}
export function through(via) {
  via(() => direct())
}
export function caused() {
  try { direct() } catch (cause) { throw new Error('it failed', { cause }) }
}
export function parsed() {
  JSON.parse('{')
}
export function inner() {
  [1].map(() => new URL('nonsense'))
}
`,
  )
  throwing = (await import(pathToFileURL(file).href)) as typeof throwing
})

afterAll(() => rmSync(folder, { recursive: true }))

const thrownOf = (work: () => unknown): unknown => {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

const thrownBy = (name: string): unknown => thrownOf(() => throwing[name]?.((fn) => fn()))

const of = (thrown: unknown) => describeThrown(thrown)

describe('what a task threw', () => {
  it("has its type, its message and the author's line", () => {
    expect(of(thrownBy('direct'))).toEqual({
      retryable: true,
      error: {
        code: 'ALM_TASK_FAILED',
        message: 'out of range',
        hint: 'Correct the task and resume the run: what succeeded is kept.',
        type: 'RangeError',
        types: ['RangeError', 'Error'],
        file,
        line: 2,
        stack: expect.stringMatching(/^RangeError: out of range\n {4}at .*direct.* \(.*my steps\.mjs:2:9\)/),
      },
    })
  })

  it('has its class and those above it, whatever it calls itself', () => {
    class NotThere extends RangeError {}
    const { type, types } = of(new NotThere('no')).error
    expect({ type, types }).toEqual({ type: 'RangeError', types: ['NotThere', 'RangeError', 'Error'] })
    expect(of('a text').error.types).toBeUndefined()
  })

  it('has no frames of Almanac or Node in its stack', () => {
    const { error } = of(thrownBy('through'))
    const frames = error.stack?.split('\n').slice(1) ?? []
    expect(
      frames
        .filter((frame) => frame.includes('my steps.mjs'))
        .map((frame) => /:(\d+):\d+\)?$/.exec(frame)?.[1]),
    ).toEqual(['2', '5', '5'])
    expect(frames.filter((frame) => frame.includes('node:'))).toEqual([])
    expect(of(thrownOf(() => decode('nonsense'))).error.stack).not.toContain('codec.ts')
  })

  it("has the author's line also where Node itself threw", () => {
    expect(of(thrownBy('parsed')).error).toMatchObject({ type: 'SyntaxError', file, line: 11 })
    expect(of(thrownBy('inner')).error).toMatchObject({
      type: 'TypeError',
      message: 'Invalid URL',
      file,
      line: 14,
    })
  })

  it('has the chain of its causes', () => {
    const { error } = of(thrownBy('caused'))
    expect(error).toMatchObject({ message: 'it failed', line: 8 })
    expect(error.stack).toMatch(
      /^Error: it failed\n[\s\S]*\ncaused by RangeError: out of range\n {4}at .*:2:9/,
    )
  })

  it('may be caused by itself, or by far too much', () => {
    const circle = new Error('circle')
    circle.cause = circle
    expect(of(circle).error.stack?.match(/Error: circle/g)).toHaveLength(1)
    const many = new AggregateError(
      Array.from({ length: 100 }, (_, i) => new Error(`e${i}`)),
      'many',
    )
    expect(of(many).error.stack?.match(/caused by/g)).toHaveLength(5)
    let deep = new Error('deepest')
    for (let i = 0; i < 10_000; i++) deep = new Error(`d${i}`, { cause: deep })
    expect(of(deep).error.stack?.match(/caused by/g)).toHaveLength(5)
  })

  it.each([
    ['a text', { message: 'a text', type: 'string' }],
    [undefined, { message: 'undefined', type: 'undefined' }],
    [null, { message: 'null', type: 'null' }],
    [7n, { message: '7n', type: 'bigint' }],
    [{ status: 404 }, { message: '{ status: 404 }', type: 'object' }],
    [Symbol('s'), { message: 'Symbol(s)', type: 'symbol' }],
  ])('may be no error at all: %o', (thrown, error) => {
    expect(of(thrown).error).toMatchObject({ code: 'ALM_TASK_FAILED', ...error })
  })

  it('keeps the code of an error of the catalogue', () => {
    expect(of(new AlmanacError('ALM_VALUE_REFUSED', { path: 'a', why: 'b' })).error).toMatchObject({
      code: 'ALM_VALUE_REFUSED',
      message: 'The value at a cannot be kept: b.',
      hint: expect.stringContaining('Pass plain values'),
    })
  })

  it('is cut where it is very long', () => {
    const { error } = of(new Error('x'.repeat(1e6)))
    expect(error.message).toHaveLength(16_385)
    expect(error.stack?.length).toBeLessThan(300_000)
  })

  it('may be hostile', () => {
    const trap = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('trapped')
      },
    })
    expect(of(trap).error).toMatchObject({ message: 'The task threw something that cannot be described.' })
    const getter = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('trapped')
      },
    })
    expect(of(getter).error).toMatchObject({ message: 'The task threw something that cannot be described.' })
    const endless = new Error('x')
    for (let i = 0; i < 100; i++)
      Object.setPrototypeOf(endless, Object.create(Object.getPrototypeOf(endless), { constructor: {} }))
    expect(of(endless).error.types).toHaveLength(24)
    const odd = Object.assign(new Error('x'), { name: 7, stack: { toString: () => 'no' } })
    expect(of(odd).error).toMatchObject({ message: 'x', type: '7' })
  })
})
