import { expect, it } from 'vitest'
import { jsonSchemaOf, type Schema } from '../flow/schema.ts'
import { inputSchema } from './schemas.ts'

const night = {
  type: 'object',
  properties: { seeing: { type: 'number' }, name: { type: 'string', default: 'first' } },
  required: ['seeing'],
}

const schema = inputSchema({
  name: 'main',
  about: null,
  function: 0,
  file: 'flow.py',
  line: 1,
  limits: {},
  inputs: {
    gain: { schema: { type: 'number' }, required: true, description: 'in dB' },
    photons: { schema: { type: 'integer' }, required: false, default: 3 },
    night: { schema: night, required: false },
  },
})

/** What is taken of an input, or what does not fit. */
const taken = async (schema: Schema, input: unknown): Promise<unknown> => {
  const result = await schema['~standard'].validate(input)
  if (result.issues === undefined) return result.value
  return result.issues.map(({ message, path }) => `${path?.join('.')}: ${message}`)
}

it('takes numbers that JSON does not have, and of all others what fits, with the defaults of what is within', async () => {
  expect(await taken(schema, { gain: Number.NaN, photons: 2n ** 70n, night: { seeing: -Infinity } })).toEqual(
    {
      gain: Number.NaN,
      photons: 2n ** 70n,
      night: { seeing: -Infinity },
    },
  )
  expect(await taken(schema, { gain: 1, night: { seeing: 2 } })).toEqual({
    gain: 1,
    night: { seeing: 2, name: 'first' },
  })
  expect(await taken(schema, { gain: 'high', photons: 1.5, night: { seeing: 'good' } })).toEqual([
    "gain: 'high' is not float",
    'photons: 1.5 is not int',
    "night.seeing: 'good' is not float",
  ])
  for (const nothing of [{}, undefined]) expect(await taken(schema, nothing)).toEqual(['gain: it is missing'])
})

it('says of its inputs what the annotations say', () => {
  expect(jsonSchemaOf(schema)).toMatchObject({
    type: 'object',
    properties: {
      gain: { type: 'number', description: 'in dB' },
      photons: { type: 'integer', default: 3 },
      night,
    },
    required: ['gain'],
  })
})
