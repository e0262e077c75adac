/** What zod calls a type, as Python does. */
const types: Readonly<Record<string, string>> = {
  number: 'float',
  int: 'int',
  string: 'str',
  boolean: 'bool',
  null: 'None',
  array: 'a list',
  tuple: 'a tuple',
  object: 'a dict',
  record: 'a dict',
}

/** What a schema of zod finds, before it is put into words, and what each kind of it tells. */
interface RawIssue {
  readonly code?: unknown
  readonly input?: unknown
  /** the schema itself */
  readonly inst?: unknown
  readonly expected?: unknown
  readonly values?: unknown
  readonly keys?: unknown
  readonly origin?: unknown
  readonly inclusive?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
  readonly divisor?: unknown
  readonly format?: unknown
  readonly errors?: unknown
}

/**
 * What of a value does not fit, as the Python package says it: `'high' is not float`. An error map of zod, for schemas
 * that annotations tell of; undefined where zod has better words.
 */
export function pythonIssue(issue: RawIssue): string | undefined {
  if (issue.input === undefined) return 'it is missing'
  if (issue.code === 'unrecognized_keys')
    return (issue.keys as string[]).map((key) => `there is no ${key}`).join(', ')
  const found = wanted(issue)
  return found && `${pythonText(issue.input)} is not ${found}`
}

/** What was expected instead, after `is not`. */
function wanted(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return (issue.inst as { isInt?: boolean } | undefined)?.isInt === true
        ? 'int'
        : types[issue.expected as string]
    case 'invalid_value':
      return (issue.values as unknown[]).map((value) => pythonText(value)).join(' or ')
    case 'too_small':
      return bounded(issue, issue.inclusive === false ? '>' : '>=', issue.minimum as number)
    case 'too_big':
      return bounded(issue, issue.inclusive === false ? '<' : '<=', issue.maximum as number)
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`
    case 'invalid_format':
      return issue.format === 'date' ? 'a date like 2026-01-31' : undefined
    case 'invalid_union':
      return oneOf(issue.errors as readonly (readonly Said[])[], `${pythonText(issue.input)} is not `)
    default:
      return undefined
  }
}

const bounded = ({ origin }: RawIssue, than: string, bound: number): string =>
  origin === 'string' || origin === 'array' ? `of length ${than} ${bound}` : `${than} ${bound}`

/** An issue that has been put into words. */
interface Said {
  readonly message: string
  readonly path: readonly unknown[]
}

/** Of a union: all its alternatives, if each is named. */
function oneOf(alternatives: readonly (readonly Said[])[], before: string): string | undefined {
  const names = alternatives.map(([first]) =>
    first?.path.length === 0 && first.message.startsWith(before)
      ? first.message.slice(before.length)
      : undefined,
  )
  return names.length === 0 || names.includes(undefined) ? undefined : [...new Set(names)].join(' or ')
}

/** As `repr` in Python writes it, cut where it is long. */
export function pythonText(value: unknown): string {
  const text = repr(value, 3)
  return text.length < 60 ? text : `${text.slice(0, 57)}…`
}

/** so many of a list or of a dictionary are more than is shown */
const shown = 30

function repr(value: unknown, depth: number): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return quoted(value.slice(0, 60))
  if (typeof value === 'number')
    return Number.isFinite(value) ? String(value) : String(value).toLowerCase().replace('infinity', 'inf')
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value))
    return depth === 0
      ? '[…]'
      : `[${value
          .slice(0, shown)
          .map((one) => repr(one, depth - 1))
          .join(', ')}]`
  if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) return 'it'
  if (depth === 0) return '{…}'
  const fields = Object.entries(value).slice(0, shown)
  return `{${fields.map(([name, one]) => `${quoted(name)}: ${repr(one, depth - 1)}`).join(', ')}}`
}

/** In single quotes, as Python does unless there are some within. */
function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1)
  if (text.includes("'"))
    return text.includes('"') ? `'${inner.replaceAll('\\"', '"').replaceAll("'", "\\'")}'` : `"${inner}"`
  return `'${inner.replaceAll('\\"', '"')}'`
}
