import { AlmanacError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'

/** Values of a template's parameters. */
export type Values = Readonly<Record<string, string | Date>>

/** All combinations of the values of `each`, the last name turning fastest. */
export function* expand(each: Value): Generator<Values> {
  const names = Object.entries((each ?? {}) as Readonly<Record<string, Value>>)
  for (const [name, values] of names)
    if (!Array.isArray(values)) throw refused(`each.${name}`, 'it is no list of values')
  yield* combine(names as [string, readonly Value[]][], {})
}

function* combine(names: readonly [string, readonly Value[]][], chosen: Values): Generator<Values> {
  const [first, ...rest] = names
  if (first === undefined) return yield chosen
  const [name, values] = first
  for (const value of values) {
    const isValue = typeof value === 'string' || typeof value === 'number' || value instanceof Date
    if (!isValue) throw refused(`each.${name}`, 'a value is neither text nor number nor date')
    yield* combine(rest, { ...chosen, [name]: value instanceof Date ? value : String(value) })
  }
}

const dateParts = /YYYY|MM|DD|HH|mm|ss/g

/** `{day}` is the value, `{day:YYYY/MM}` a date in that form. */
export function fill(template: string, values: Values, quote: (text: string) => string): string {
  return template.replace(/\{([^{}:]+)(?::([^{}]*))?\}/g, (_, name: string, form: string | undefined) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw refused('url', `{${name}} has no values; add it to each`)
    if (form === undefined) return quote(value instanceof Date ? isoDay(value) : value)
    const date = value instanceof Date ? value : new Date(value)
    if (Number.isNaN(date.getTime()))
      throw refused('url', `${JSON.stringify(value)} is no date for {${name}:${form}}`)
    return form.replace(dateParts, (part) => partOf(date, part))
  })
}

const isoDay = (date: Date): string => date.toISOString().slice(0, 10)

/** In UTC, as all times of Almanac. */
function partOf(date: Date, part: string): string {
  const iso = date.toISOString()
  const places = { YYYY: [0, 4], MM: [5, 7], DD: [8, 10], HH: [11, 13], mm: [14, 16], ss: [17, 19] } as const
  return iso.slice(...places[part as keyof typeof places])
}

const refused = (option: string, why: string): AlmanacError =>
  new AlmanacError('ALM_OPTION_REFUSED', { option, task: 'the source', why })
