import { readFile } from 'node:fs/promises'
import { fromWire } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import { hasOtherNumbers } from '../../util/other-numbers.ts'
import { type Look, type Scan, withFiles } from './given-files.ts'
import { type InputSchema, kindText, misfit, typesOf } from './schemas.ts'

/**
 * The input of a workflow from `--params FILE` and `--input name=value`, read by the workflow's schema: files and
 * directories are scanned where they lie, files at URLs looked at, numbers and booleans are what they look like, texts stay texts.
 * `file` is the workflow's. `isCoded`: that of `params` is a program's beside this one, in the codec's form, which has
 * values that JSON does not have.
 *
 * @throws ALM_INPUT_INVALID, ALM_INPUT_MISSING
 */
export async function readInput(
  schema: Readonly<Record<string, unknown>> | undefined,
  given: {
    readonly params?: string
    readonly isCoded?: boolean
    readonly inputs: readonly string[]
    readonly file?: string
  },
  scan: Scan,
  look: Look,
): Promise<Value> {
  const fields: Record<string, unknown> =
    given.params === undefined ? Object.create(null) : await readParams(given.params)
  if (given.isCoded === true)
    for (const name of Object.keys(fields)) fields[name] = fromWire(fields[name], [name])
  const wanted: InputSchema = schema ?? { properties: {} }
  const { properties = {}, required = [] } = wanted
  for (const text of given.inputs) {
    const at = text.indexOf('=')
    if (at < 1) throw new AlmanacError('ALM_USAGE', { why: `--input ${text}: write name=value` })
    const name = text.slice(0, at)
    fields[name] = parseText(text.slice(at + 1), properties[name] ?? {}, name)
  }
  checkNames(fields, wanted)
  for (const [name, property] of Object.entries(properties)) {
    // of what lies elsewhere the default is a path, which is a value only when it is read
    if (property.default !== undefined && namesFiles(property) && !Object.hasOwn(fields, name))
      fields[name] = property.default
    if (Object.hasOwn(fields, name)) {
      fields[name] = await withFiles(fields[name], property, name, { scan, look, root: wanted })
      checkFit(fields[name], property, name, given.file)
    } else if (required.includes(name)) {
      throw new AlmanacError('ALM_INPUT_INVALID', {
        name,
        why: `it is needed and was not given; write --input ${name}=…`,
      })
    }
  }
  return schema === undefined ? undefined : (fields as Value)
}

/** A name that is not known is a slip of the pen: its value would never be seen. @throws ALM_INPUT_INVALID */
function checkNames(fields: object, schema: InputSchema): void {
  const { properties, additionalProperties = false } = schema
  // it does not tell what there is, or takes anything
  if (properties === undefined || additionalProperties !== false) return
  const name = Object.keys(fields).find((field) => !Object.hasOwn(properties, field))
  if (name === undefined) return
  const known = Object.keys(properties)
  const why =
    known.length === 0
      ? 'the workflow takes no inputs'
      : `the workflow has no such input; it has ${known.join(', ')}`
  throw new AlmanacError('ALM_INPUT_INVALID', { name, why })
}

/**
 * What plain values are can be told before a run is made for them; what a schema says besides, the run finds out, as it
 * does of numbers that JSON does not have.
 *
 * @throws ALM_INPUT_INVALID
 */
function checkFit(value: unknown, property: InputSchema, name: string, file?: string): void {
  if (value === undefined || namesKept(property) || hasOtherNumbers(value)) return
  const why = misfit(property, value, file)
  if (why !== undefined) throw new AlmanacError('ALM_INPUT_INVALID', { name, why })
}

/** Files, directories and the like are no JSON; nor is what has a schema that JSON Schema cannot say. */
const namesKept = (property: InputSchema): boolean => /"(almanac|\$ref)":/.test(JSON.stringify(property))

const namesFiles = (property: InputSchema): boolean =>
  /"almanac":"(file|dir|url)"/.test(JSON.stringify(property))

/** @throws ALM_INPUT_INVALID */
async function readParams(path: string): Promise<Record<string, unknown>> {
  try {
    const params: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof params === 'object' && params !== null && !Array.isArray(params)) {
      return Object.assign(Object.create(null), params)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why =
      error instanceof SyntaxError
        ? `it is no JSON: ${message}`
        : code === 'ENOENT'
          ? 'there is no such file'
          : message
    throw new AlmanacError('ALM_INPUT_INVALID', { name: `--params ${path}`, why })
  }
  throw new AlmanacError('ALM_INPUT_INVALID', { name: `--params ${path}`, why: 'it holds no JSON object' })
}

function parseText(text: string, schema: InputSchema, name: string): unknown {
  const types = typesOf(schema)
  if (isPath(schema) || types.has('string')) return text
  if (schema.enum?.includes(text) === true) return text
  if (types.has('number') || types.has('integer')) {
    const number = Number(text)
    if (text.trim() !== '' && !Number.isNaN(number)) return number
  }
  try {
    return JSON.parse(text)
  } catch {
    if (types.size === 0) return text
    throw new AlmanacError('ALM_INPUT_INVALID', { name, why: `${JSON.stringify(text)} is ${noneOf(schema)}` })
  }
}

/** Is every text that is given one that names something, in each alternative but none at all? */
const isPath = ({ almanac, anyOf = [], type }: InputSchema): boolean =>
  almanac === undefined
    ? anyOf.length > 0 && anyOf.every((one) => one.type === 'null' || isPath(one))
    : almanac !== 'value' && type === undefined

/** What a text that is no JSON is not. */
function noneOf(schema: InputSchema): string {
  const types = typesOf(schema)
  if (types.has('number') || types.has('integer'))
    return `no ${types.size === 1 ? 'number' : kindText(schema)}`
  if (types.has('boolean')) return 'neither true nor false'
  if (types.has('array')) return 'no JSON: write a list as ["one", "two"]'
  return types.has('object') ? 'no JSON: write {"name": …}' : 'no JSON'
}
