import { expect, it } from 'vitest'
import { z } from 'zod'
import { issuesText } from './issues.ts'

const said = (schema: z.ZodType, value: unknown): string =>
  issuesText(schema.safeParse(value).error?.issues ?? [], value)

it('says where a value does not fit, and what is missing', () => {
  const schema = z.object({ gain: z.number(), why: z.union([z.string(), z.null()]), at: z.array(z.number()) })
  expect(said(schema, { gain: 'high', why: 1, at: [1, 'x'] })).toBe(
    'gain: Invalid input: expected number, received string; why: Invalid input; at[1]: Invalid input: expected number, received string',
  )
  expect(said(schema, {})).toBe('gain: it is missing; why: it is missing; at: it is missing')
  expect(said(z.number(), undefined)).toBe('Invalid input: expected number, received undefined')
})

it('says of alternatives what does not fit in the one that is meant', () => {
  const box = z.object({ west: z.number(), east: z.number().default(1) })
  const schema = z.object({ box: z.union([box, z.null()]) })
  expect(said(schema, { box: { wst: 2 } })).toBe('box.west: it is missing')
  expect(said(schema, { box: 'west' })).toBe('box: Invalid input')
})

it("leaves an author's own words as they are", () => {
  expect(said(z.object({ n: z.number('how many?') }), {})).toBe('n: how many?')
})
