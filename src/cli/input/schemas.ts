import { z } from 'zod'
import { issuesText } from '../../util/issues.ts'

/** What of a JSON Schema tells how a text is meant. */
export interface InputSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, InputSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | InputSchema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly InputSchema[]
  readonly items?: InputSchema
  readonly almanac?: 'file' | 'dir' | 'url' | 'value'
  readonly description?: string
  readonly default?: unknown
}

/** The types that a schema names, at any of its alternatives. */
export function typesOf(schema: InputSchema): Set<string> {
  const types = new Set(typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []))
  for (const one of schema.anyOf ?? []) for (const type of typesOf(one)) types.add(type)
  return types
}

/** What fits a schema, as a person writes it: `ok=boolean why=string?`, or one word. */
export function schemaText(schema: InputSchema): string {
  if (schema.properties === undefined) return kindText(schema)
  const required = new Set(schema.required)
  return Object.entries(schema.properties)
    .map(([name, field]) => `${name}=${kindText(field)}${required.has(name) ? '' : '?'}`)
    .join(' ')
}

/** One word for what fits: a path in capitals where one is meant. */
export function kindText(schema: InputSchema): string {
  if (schema.almanac === 'file') return 'FILE'
  if (schema.almanac === 'dir') return 'DIR'
  if (schema.almanac === 'url') return 'URL'
  if (schema.enum !== undefined)
    return schema.enum.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('|')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.anyOf !== undefined) return schema.anyOf.map(kindText).join('|')
  if (schema.items !== undefined) return `[${kindText(schema.items)}]`
  const types = [...typesOf(schema)]
  return types.length === 0 ? 'JSON' : types.join('|')
}

/** Of a date that is none the pattern of dates says nothing more. */
const isNews = (issue: z.core.$ZodIssue, index: number, all: readonly z.core.$ZodIssue[]): boolean =>
  !(issue.code === 'invalid_format' && issue.format === 'regex') ||
  all.findIndex(({ path }) => path.join() === issue.path.join()) === index

/** Why a value does not fit a JSON Schema; undefined where it does, or where the schema says more than can be checked here. */
export function misfit(schema: InputSchema, value: unknown): string | undefined {
  let checked: z.ZodType
  try {
    checked = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    // the run checks it again with what its author wrote
    return undefined
  }
  const { error } = checked.safeParse(value)
  return error && issuesText(error.issues.filter(isNews), value)
}
