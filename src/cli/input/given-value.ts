import { text as textOf } from 'node:stream/consumers'
import { AlmanacError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import { type InputSchema, typesOf } from './schemas.ts'

/** What words on a command line mean: JSON, `name=value` pairs, or a text. `what`: as in "an answer". @throws ALM_USAGE */
export function givenValue(texts: readonly string[], schema: InputSchema, what: string): Value {
  if (!isText(schema) && texts.every((text) => /^[\w.-]+=/.test(text))) {
    const fields = texts.map((text): [string, unknown] => {
      const name = text.slice(0, text.indexOf('='))
      return [name, plain(text.slice(name.length + 1), schema.properties?.[name])]
    })
    return Object.fromEntries(fields) as Value
  }
  if (texts.length === 1) return plain(texts[0] as string, schema) as Value
  throw new AlmanacError('ALM_USAGE', { why: `${what} is one JSON value, or name=value pairs` })
}

/**
 * The same, where `-` is what comes over standard input: JSON where it can be, as a program says exactly what it means.
 * @throws ALM_USAGE
 */
export async function givenOrRead(
  texts: readonly string[],
  schema: InputSchema,
  what: string,
): Promise<Value> {
  if (texts.length !== 1 || texts[0] !== '-') return givenValue(texts, schema, what)
  const text = await textOf(process.stdin)
  try {
    return JSON.parse(text) as Value
  } catch {
    return text
  }
}

/** Is a text wanted, and nothing that has names? `x=5` may be one. */
function isText(schema: InputSchema): boolean {
  const types = typesOf(schema)
  return types.has('string') && !types.has('object')
}

/** The text itself where a text is wanted, else JSON where it is JSON. */
function plain(text: string, schema: InputSchema | undefined): unknown {
  if (schema !== undefined && typesOf(schema).has('string')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
