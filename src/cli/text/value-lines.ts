import { DirRef, FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { Workbench } from '../../workbench.ts'
import { relativePath } from './paths.ts'
import { fullText } from './values.ts'

/** Fields told one by one; what lies deeper is one text. */
const mostFields = 50

/** A value for people to judge, a line a field; files by where they can be opened. */
export async function valueLines(value: Value, data: Workbench['data']): Promise<string[]> {
  if (value === null || value === undefined) return []
  const isFields = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
  if (!isFields && !Array.isArray(value)) return [await fieldText(value, data)]
  const fields = Object.entries(value as Record<string, Value>)
  const lines = fields
    .slice(0, mostFields)
    .map(async ([name, field]) => `${Array.isArray(value) ? '' : `${name}  `}${await fieldText(field, data)}`)
  return Promise.all(fields.length > mostFields ? [...lines, `… of ${fields.length}`] : lines)
}

/** Files among its fields, or itself, by where they can be opened: what shows pictures looks at them. */
export async function filesOf(value: Value, data: Workbench['data']): Promise<Record<string, string>> {
  const fields = value instanceof FileRef ? [['file', value] as const] : Object.entries(value ?? {})
  const files: Record<string, string> = {}
  for (const [name, field] of fields.slice(0, mostFields)) {
    if (field instanceof FileRef && (await data.available(field))) files[name] = await data.open(field)
  }
  return files
}

/** The same in one text. */
export async function fieldText(value: Value, data: Workbench['data']): Promise<string> {
  if (value instanceof FileRef || value instanceof DirRef) {
    // what is gone cannot be looked at, but told of
    if (!(await data.available(value))) return `${fullText(value, 200)}, which is not there any more`
    return relativePath(await data.open(value))
  }
  return typeof value === 'string' ? value : fullText(value, 500)
}
