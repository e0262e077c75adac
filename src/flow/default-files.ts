import type { Value } from '../model/value.ts'
import { jsonSchemaOf } from './schema.ts'
import type { WorkflowDefinition } from './workflow.ts'

/** Takes a file or directory that lies elsewhere as a value. */
export type Scan = (path: string) => Promise<Value>

/** What of a JSON Schema tells that texts are paths. */
interface Told {
  readonly almanac?: string
  readonly type?: unknown
  readonly anyOf?: readonly Told[]
  readonly items?: Told
  readonly additionalProperties?: Told
  readonly properties?: Readonly<Record<string, Told>>
  readonly default?: unknown
}

/**
 * The input of a run of its own, with what lies at the paths that are defaults and are not given: it is on record with the
 * input then. A child's workflow cannot look there, as what it finds would be on no record.
 *
 * @throws ALM_INPUT_MISSING
 */
export async function withDefaultFiles(
  { input: schema }: WorkflowDefinition,
  input: Value,
  scan: Scan,
): Promise<Value> {
  const { properties = {} }: Told = schema === undefined ? {} : jsonSchemaOf(schema)
  const given = (input ?? {}) as Readonly<Record<string, Value>>
  const found: [string, Value][] = []
  for (const [name, property] of Object.entries(properties)) {
    if (property.default === undefined || Object.hasOwn(given, name) || !areFiles(property)) continue
    found.push([name, await scanned(property.default as Value, scan)])
  }
  return found.length === 0 ? input : { ...given, ...Object.fromEntries(found) }
}

/** Is each text in what fits it the path of a file or directory? */
const areFiles = ({ almanac, anyOf, items, additionalProperties }: Told): boolean => {
  if (almanac !== undefined) return almanac === 'file' || almanac === 'dir'
  if (anyOf !== undefined) return anyOf.every((one) => one.type === 'null' || areFiles(one))
  const within = items ?? additionalProperties
  return typeof within === 'object' && areFiles(within)
}

async function scanned(value: Value, scan: Scan): Promise<Value> {
  if (typeof value === 'string') return scan(value)
  if (Array.isArray(value)) return Promise.all(value.map((one: Value) => scanned(one, scan)))
  if (typeof value !== 'object' || value === null) return value
  const fields: [string, Value][] = []
  for (const [name, one] of Object.entries(value)) fields.push([name, await scanned(one as Value, scan)])
  return Object.fromEntries(fields)
}
