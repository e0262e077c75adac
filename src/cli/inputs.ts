import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import type { Value } from '../model/value.ts'

/** What of a JSON Schema tells how a text is meant. */
interface InputSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, InputSchema>>
  readonly required?: readonly string[]
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly InputSchema[]
  readonly almanac?: 'file' | 'dir' | 'value'
  readonly description?: string
  readonly default?: unknown
}

/** Takes a file or directory that lies elsewhere as a value. */
export type Scan = (path: string) => Promise<Value>

/**
 * The input of a workflow from `--params FILE` and `--input name=value`, read by the workflow's schema: files and
 * directories are scanned where they lie, numbers and booleans are what they look like, texts stay texts.
 *
 * @throws ALM_INPUT_INVALID, ALM_INPUT_MISSING
 */
export async function readInput(
  schema: Readonly<Record<string, unknown>> | undefined,
  given: { readonly params?: string; readonly inputs: readonly string[] },
  scan: Scan,
): Promise<Value> {
  const fields: Record<string, unknown> = given.params === undefined ? {} : await readParams(given.params)
  const properties = (schema as InputSchema | undefined)?.properties ?? {}
  for (const text of given.inputs) {
    const at = text.indexOf('=')
    if (at < 1) throw new AlmanacError('ALM_USAGE', { why: `--input ${text}: write name=value` })
    const name = text.slice(0, at)
    if (Object.keys(properties).length > 0 && !Object.hasOwn(properties, name)) {
      const known = Object.keys(properties).join(', ')
      throw new AlmanacError('ALM_INPUT_INVALID', {
        name,
        why: `the workflow has no such input; it has ${known}`,
      })
    }
    fields[name] = parseText(text.slice(at + 1), properties[name] ?? {}, name)
  }
  for (const [name, property] of Object.entries(properties)) {
    if (Object.hasOwn(fields, name)) fields[name] = await scanned(fields[name], property, name, scan)
    else if ((schema as InputSchema).required?.includes(name) === true) {
      throw new AlmanacError('ALM_INPUT_INVALID', {
        name,
        why: `it is needed and was not given; write --input ${name}=…`,
      })
    }
  }
  return schema === undefined && Object.keys(fields).length === 0 ? undefined : (fields as Value)
}

/** @throws ALM_INPUT_INVALID */
async function readParams(path: string): Promise<Record<string, unknown>> {
  try {
    const params: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof params === 'object' && params !== null && !Array.isArray(params)) {
      return Object.assign(Object.create(null), params)
    }
  } catch (error) {
    throw new AlmanacError('ALM_INPUT_INVALID', { name: path, why: (error as Error).message })
  }
  throw new AlmanacError('ALM_INPUT_INVALID', { name: path, why: 'it holds no JSON object' })
}

function parseText(text: string, schema: InputSchema, name: string): unknown {
  const types = typesOf(schema)
  if (schema.almanac === 'file' || schema.almanac === 'dir' || types.has('string')) return text
  if (schema.enum?.includes(text) === true) return text
  if (types.has('number') || types.has('integer')) {
    const number = Number(text)
    if (text.trim() === '' || Number.isNaN(number))
      throw new AlmanacError('ALM_INPUT_INVALID', { name, why: `${JSON.stringify(text)} is no number` })
    return number
  }
  try {
    return JSON.parse(text)
  } catch {
    if (types.size === 0) return text
    throw new AlmanacError('ALM_INPUT_INVALID', { name, why: `${JSON.stringify(text)} is no JSON` })
  }
}

function typesOf(schema: InputSchema): Set<string> {
  const types = new Set(typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []))
  for (const one of schema.anyOf ?? []) for (const type of typesOf(one)) types.add(type)
  return types
}

async function scanned(value: unknown, schema: InputSchema, name: string, scan: Scan): Promise<unknown> {
  const kind = schema.almanac ?? schema.anyOf?.find((one) => one.almanac !== undefined)?.almanac
  if ((kind !== 'file' && kind !== 'dir') || typeof value !== 'string') return value
  try {
    return await scan(resolve(value))
  } catch (error) {
    if (!isAlmanacError(error) || error.code !== 'ALM_INPUT_MISSING') throw error
    throw new AlmanacError('ALM_INPUT_INVALID', { name, why: error.message }, { cause: error })
  }
}
