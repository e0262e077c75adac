import { expect, it } from 'vitest'
import { z } from 'zod'
import { issuesText } from './issues.ts'
import { pythonIssue, pythonText } from './python-issue.ts'

const said = (schema: object, value: unknown): string =>
  issuesText(
    z.fromJSONSchema(schema as never).safeParse(value, { error: pythonIssue }).error?.issues ?? [],
    value,
  )

it.each([
  [{ type: 'integer' }, 'x', "'x' is not int"],
  [{ type: 'integer' }, 1.5, '1.5 is not int'],
  [{ type: 'number' }, null, 'None is not float'],
  [{ type: 'string' }, true, 'True is not str'],
  [{ type: 'boolean' }, 0, '0 is not bool'],
  [{ type: 'null' }, 'no', "'no' is not None"],
  [{ type: 'array' }, {}, '{} is not a list'],
  [{ type: 'array', items: { type: 'integer' } }, [1, 'x'], "[1]: 'x' is not int"],
  [{ type: 'object' }, [1], '[1] is not a dict'],
  [{ enum: ['low', 'high'] }, 'hi', "'hi' is not 'low' or 'high'"],
  [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 3, '3 is not str or None'],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 1.5, '1.5 is not int or None'],
  [{ type: 'string', format: 'date' }, 'may', "'may' is not a date like 2026-01-31"],
  [{ type: 'number', exclusiveMinimum: 0 }, 0, '0 is not > 0'],
  [{ type: 'integer', maximum: 9 }, 10, '10 is not <= 9'],
  [{ type: 'array', items: {}, minItems: 2 }, [1], '[1] is not of length >= 2'],
  [{ type: 'number', multipleOf: 3 }, 4, '4 is not a multiple of 3'],
])('of %j says of %j what Python would', (schema, value, text) => expect(said(schema, value)).toBe(text))

it('writes where it is as Python does, and what is missing or unknown', () => {
  const night = {
    type: 'object',
    properties: { gains: { type: 'array', items: { type: 'number' } }, name: { type: 'string' } },
    required: ['name'],
    additionalProperties: false,
  }
  expect(said({ type: 'object', properties: { night } }, { night: { gains: [1, 'x'], nam: 'a' } })).toBe(
    "night.gains[1]: 'x' is not float; night.name: it is missing; night: there is no nam",
  )
})

it('writes values as Python does, and cuts long ones', () => {
  expect(pythonText({ a: [1, null, false], "it's": 'a "b"', deep: [[[[1]]]] })).toBe(
    `{'a': [1, None, False], "it's": 'a "b"', 'deep': [[[…]]]}`,
  )
  expect(pythonText([Number.NaN, -Infinity, 2n ** 70n])).toBe('[nan, -inf, 1180591620717411303424]')
  expect(pythonText('x'.repeat(1e6))).toBe(`'${'x'.repeat(56)}…`)
  expect(pythonText(new Map())).toBe('it')
})
