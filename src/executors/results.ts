import { toWire } from '../model/codec.ts'
import { isAlmanacError } from '../model/errors.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Value } from '../model/value.ts'

/** What of a task its values go by. */
type Outputs = Pick<TaskSpec, 'outputs'>

/** Names of the outputs that are values; undefined for a task that declares none at all: its one value has no name. */
export const valueNames = (task: Outputs): readonly string[] | undefined =>
  task.outputs && Object.keys(task.outputs).filter((name) => task.outputs?.[name] === 'value')

export type NamedValues =
  | { readonly values: Readonly<Record<string, Value>> }
  /** they cannot be told apart, and why */
  | { readonly refused: string }

/** What a function returned, by output name: the one declared value, or an object with a field for each of several. */
export function returnedValues(task: Outputs, returned: Value): NamedValues {
  const names = valueNames(task)
  if (names === undefined) return { values: { '': returned } }
  const [only] = names
  if (only === undefined) return { values: {} }
  return names.length === 1 ? { values: { [only]: returned } } : fieldsOf(names, returned)
}

/** What a program left at `ALMANAC_RESULT`. */
export type ReadResult =
  | { readonly kind: 'absent' }
  | { readonly kind: 'json'; readonly json: unknown }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'too-large' }

/** The same of a program: an object with a field for each declared value, be it only one. */
export function programValues(task: TaskSpec, read: Exclude<ReadResult, { kind: 'too-large' }>): NamedValues {
  if (read.kind === 'refused') return { refused: read.why }
  const names = valueNames(task)
  if (names === undefined)
    return read.kind === 'absent' ? { values: { '': undefined } } : checked({ '': read.json })
  if (names.length === 0) return { values: {} }
  if (read.kind === 'absent')
    return { refused: `${names.join(', ')} are declared, and ALMANAC_RESULT was not written` }
  const named = fieldsOf(names, read.json as Value)
  return 'values' in named ? checked(named.values) : named
}

/** JSON may still be nested deeper than values can be. */
function checked(values: Readonly<Record<string, unknown>>): NamedValues {
  try {
    toWire(values)
  } catch (error) {
    if (!isAlmanacError(error)) throw error
    return { refused: error.message }
  }
  return { values: values as Readonly<Record<string, Value>> }
}

function fieldsOf(names: readonly string[], value: Value): NamedValues {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { refused: `it is no object with ${names.join(', ')}` }
  }
  const missing = names.filter((name) => !Object.hasOwn(value, name))
  if (missing.length > 0) return { refused: `it has no ${missing.join(', ')}` }
  return { values: Object.fromEntries(names.map((name) => [name, (value as Record<string, Value>)[name]])) }
}
