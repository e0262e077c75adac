import { z } from 'zod'
import { issuesText } from '../../util/issues.ts'
import { pythonIssue } from '../../util/python-issue.ts'

/** What of a JSON Schema tells how a text is meant. */
export interface InputSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, InputSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | InputSchema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly InputSchema[]
  readonly oneOf?: readonly InputSchema[]
  readonly items?: boolean | InputSchema
  readonly prefixItems?: readonly InputSchema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, InputSchema>>
  readonly almanac?: 'file' | 'dir' | 'url' | 'value'
  readonly description?: string
  readonly default?: unknown
}

/** The types that a schema names, at any of its alternatives. */
export function typesOf(schema: InputSchema): Set<string> {
  const types = new Set(typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []))
  for (const one of choices(schema)) for (const type of typesOf(one)) types.add(type)
  return types
}

const choices = ({ anyOf, oneOf }: InputSchema): readonly InputSchema[] => anyOf ?? oneOf ?? []

/** What a schema has alternatives of, however deep, and where it refers to another, those of that one; else itself. */
export function alternatives(schema: InputSchema, root: InputSchema): readonly InputSchema[] {
  if (schema.$ref !== undefined) {
    const other = referred(schema.$ref, root)
    return other.$ref === undefined ? alternatives(other, root) : []
  }
  const all = choices(schema)
  return all.length === 0 ? [schema] : all.flatMap((one) => alternatives(one, root))
}

/** `#`, or `#/$defs/NAME`. */
function referred(ref: string, root: InputSchema): InputSchema {
  const name = /^#\/\$defs\/([^/]+)$/.exec(ref)?.[1]
  if (name === undefined) return ref === '#' ? root : {}
  return (Object.hasOwn(root.$defs ?? {}, name) && root.$defs?.[name]) || {}
}

/** Of several alternatives the first that suits a list, or what has names, by what can be told of it; `{}` where none does. */
export function meantFor(value: object, schema: InputSchema, root: InputSchema): InputSchema {
  const suits = Array.isArray(value)
    ? ({ items, prefixItems }: InputSchema) => items !== undefined || prefixItems !== undefined
    : (one: InputSchema) => suitsFields(value, one)
  const all = alternatives(schema, root)
  return (all.length === 1 ? all[0] : all.find(suits)) ?? {}
}

/** Has it what is required, and what stands for itself? */
function suitsFields(value: object, schema: InputSchema): boolean {
  const { properties = {}, additionalProperties, required = [] } = schema
  if (schema.properties === undefined && typeof additionalProperties !== 'object') return false
  return (
    required.every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, one]) => {
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined
      return known?.const === undefined || known.const === one
    })
  )
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
  const all = choices(schema)
  if (all.length > 0) return all.map(kindText).join('|')
  if (typeof schema.items === 'object') return `[${kindText(schema.items)}]`
  const types = [...typesOf(schema)]
  return types.length === 0 ? 'JSON' : types.join('|')
}

/** Of a date that is none the pattern of dates says nothing more. */
const isNews = (issue: z.core.$ZodIssue, index: number, all: readonly z.core.$ZodIssue[]): boolean =>
  !(issue.code === 'invalid_format' && issue.format === 'regex') ||
  all.findIndex(({ path }) => path.join() === issue.path.join()) === index

/**
 * Why a value does not fit a JSON Schema, in the terms of the language of `file`, which wants it; undefined where it does,
 * or where the schema says more than can be checked here.
 */
export function misfit(schema: InputSchema, value: unknown, file?: string): string | undefined {
  let checked: z.ZodType
  try {
    checked = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    // the run checks it again with what its author wrote
    return undefined
  }
  const { error } = checked.safeParse(value, file?.endsWith('.py') === true ? { error: pythonIssue } : {})
  return error && issuesText(error.issues.filter(isNews), value)
}
