import { expect, it } from 'vitest'
import { z } from 'zod'
import { givenValue } from './given-value.ts'
import type { InputSchema } from './schemas.ts'

const given = (schema: z.ZodType, ...texts: string[]): unknown =>
  givenValue(texts, z.toJSONSchema(schema) as InputSchema, 'an answer')

it('takes a word as it is where a text is wanted, whatever is in it', () => {
  expect(given(z.string(), 'x=5')).toBe('x=5')
  expect(given(z.string().nullable(), 'abc==')).toBe('abc==')
  expect(given(z.string(), '12')).toBe('12')
  expect(given(z.string(), '"quoted"')).toBe('"quoted"')
})

it('takes name=value pairs where fields are wanted, or may be', () => {
  expect(given(z.object({ ok: z.boolean(), why: z.string() }), 'ok=true', 'why=x=5')).toEqual({
    ok: true,
    why: 'x=5',
  })
  expect(given(z.union([z.string(), z.object({ x: z.number() })]), 'x=5')).toEqual({ x: 5 })
  expect(given(z.any(), 'x=5')).toEqual({ x: 5 })
})

it('refuses several words where one is wanted', () => {
  expect(() => given(z.string(), 'a=1', 'b=2')).toThrow('an answer is one JSON value, or name=value pairs')
})
