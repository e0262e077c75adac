import { AlmanacError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import { isPathRef, pathOf, plainJson } from './task-values.ts'

/** What the words of a command may name. */
export interface TemplateNames {
  readonly task: string
  readonly inputs: Readonly<Record<string, Value>>
  readonly outputs: Readonly<Record<string, string>>
}

/**
 * The words of a command line, each one argument whatever is in it: no shell reads them.
 *
 *   {in.scene}     path of an input; as a whole word, a list of files is a word for each
 *   {out.cog}      path to leave an output at
 *   {params.x}     a value: a text as it is, everything else as JSON
 *   {{ and }}      braces
 *
 * @throws ALM_OPTION_REFUSED for a name that there is not, with those that there are
 */
export function fillCommand(words: readonly string[], names: TemplateNames): string[] {
  return words.flatMap((word) => fillWord(word, names))
}

const part = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g

function fillWord(word: string, names: TemplateNames): readonly string[] {
  const whole = /^\{in\.([^{}]+)\}$/.exec(word)?.[1]
  const list = whole === undefined ? undefined : pathList(whole, names)
  if (list !== undefined) return list
  return [
    word.replace(part, (found, name: string | undefined) => {
      if (found === '{{') return '{'
      if (found === '}}') return '}'
      if (name === undefined)
        throw refused(names, `in ${JSON.stringify(word)} is a lone ${found}: write ${found}${found}`)
      return namedText(name, names)
    }),
  ]
}

function pathList(name: string, names: TemplateNames): readonly string[] | undefined {
  const input = own(names.inputs, name)
  if (!Array.isArray(input) || !input.every(isPathRef)) return undefined
  return input.map((ref, i) => pathOf(ref, `${name}[${i}]`))
}

function namedText(name: string, names: TemplateNames): string {
  const dot = name.indexOf('.')
  const field = name.slice(dot + 1)
  switch (name.slice(0, Math.max(dot, 0))) {
    case 'in':
      return inputPath(field, names)
    case 'out':
      return own(names.outputs, field) ?? unknown(name, names)
    case 'params':
      return paramText(field, names)
    default:
      return unknown(name, names)
  }
}

function inputPath(field: string, names: TemplateNames): string {
  const input = own(names.inputs, field)
  if (input === undefined) return unknown(`in.${field}`, names)
  if (isPathRef(input)) return pathOf(input, field)
  throw refused(
    names,
    `{in.${field}} is no file or directory: a value is {params.${field}}, a list of files a word of its own`,
  )
}

function paramText(field: string, names: TemplateNames): string {
  const input = own(names.inputs, field)
  if (input === undefined) return unknown(`params.${field}`, names)
  const plain = plainJson(input, field)
  return typeof plain === 'string' ? plain : JSON.stringify(plain)
}

function unknown(name: string, names: TemplateNames): never {
  const known = [
    ...Object.entries(names.inputs).map(([input, value]) => `${isPathRef(value) ? 'in' : 'params'}.${input}`),
    ...Object.keys(names.outputs).map((output) => `out.${output}`),
  ]
  const there = known.length === 0 ? 'it has no inputs or outputs' : `there are ${known.join(', ')}`
  throw refused(names, `{${name}} is not known: ${there}; braces themselves are written {{ and }}`)
}

const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

const refused = (names: TemplateNames, why: string): AlmanacError =>
  new AlmanacError('ALM_OPTION_REFUSED', { option: 'run', task: names.task, why })
