import { z } from 'zod'
import { dir, file, json, jsonSchemaOf, type Schema } from '../flow/schema.ts'
import { url } from '../flow/url.ts'
import type { Value } from '../model/value.ts'
import { hasOtherNumbers } from '../util/other-numbers.ts'
import { pythonIssue } from '../util/python-issue.ts'
import type { DescribedWorkflow } from './messages.ts'

/** What a type hint says a value is. */
export function schemaFrom(hint: Value): Schema {
  const schema = typeFrom(hint)
  return schemaOf(schema, (value) => inPython(schema, value))
}

/** With anything where zod cannot read its JSON Schema: Python checks it again. */
function typeFrom(hint: Value): z.ZodType {
  const schema = hint as Readonly<Record<string, unknown>>
  if (schema['almanac'] === 'file') return file()
  if (schema['almanac'] === 'dir') return dir()
  if (schema['almanac'] === 'url') return url()
  if (Object.keys(schema).length === 0) return json()
  const kept = keptOrNone(schema)
  if (kept !== undefined) return typeFrom(kept)
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    return json()
  }
}

/** The inputs of a workflow, those with a default optional: Python itself knows what it is. */
export function inputSchema({ inputs, about }: DescribedWorkflow): Schema {
  const shape = Object.entries(inputs).map(([name, { schema, required, ...said }]) => {
    const one = typeFrom(schema as Value)
    return [name, (required ? one : one.optional()).meta({ ...one.meta(), ...said })] as const
  })
  return withAllNumbers(
    z.object(Object.fromEntries(shape)).meta(about === null ? {} : { description: about }),
  )
}

/** JSON Schema has no NaN, no infinities and no large integers, which `float` and `int` have: Python checks those. */
function withAllNumbers(schema: z.ZodObject): Schema {
  // who calls it without anything gives no inputs
  return schemaOf(schema, (input = {}) => {
    const { shape } = schema
    const given = Object.entries(input ?? {})
    const others = given.filter(([name, value]) => Object.hasOwn(shape, name) && hasOtherNumbers(value))
    if (others.length === 0) return inPython(schema, input)
    const names = new Set(others.map(([name]) => name))
    const rest = z.object(Object.fromEntries(Object.entries(shape).filter(([name]) => !names.has(name))))
    const result = inPython(rest, input)
    return result.issues ? result : { value: { ...(result.value as object), ...Object.fromEntries(others) } }
  })
}

type Result = Awaited<ReturnType<Schema['~standard']['validate']>>

const schemaOf = (schema: z.ZodType, validate: (value: unknown) => Result): Schema => {
  const jsonSchema = { input: () => jsonSchemaOf(schema) }
  const own = { version: 1, vendor: 'almanac', validate, jsonSchema } as const
  return { '~standard': own }
}

/** What does not fit is said in Python's terms: its author is who reads it. */
function inPython(schema: z.ZodType, value: unknown): Result {
  const { success, data, error } = schema.safeParse(value, { error: pythonIssue })
  return success ? { value: data } : { issues: error.issues }
}

/** `Dir | None`: a path that is given means the directory. */
function keptOrNone(schema: Readonly<Record<string, unknown>>): Value {
  const some = schema['anyOf'] as readonly Readonly<Record<string, Value>>[] | undefined
  const [kept, ...more] = some?.filter((one) => one['type'] !== 'null') ?? []
  return more.length === 0 && kept?.['almanac'] !== undefined ? kept : undefined
}
