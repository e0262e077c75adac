import { nameGlob } from '../core/tree/path-globs.ts'
import type { DatasetRule, Retention } from '../engine/retention.ts'
import type { RetentionConfig } from '../flow/config.ts'
import { durationMs, sizeBytes } from '../flow/options.ts'
import { AlmanacError } from '../model/errors.ts'

type Field = 'count' | 'age' | 'bytes' | 'keep'

/** What can be said of what. */
const fields: Readonly<Record<string, readonly Field[]>> = {
  runs: ['count', 'age'],
  logs: ['age'],
  versions: ['count', 'age'],
  cache: ['count', 'age', 'bytes'],
}
const datasetFields: readonly Field[] = ['count', 'age', 'keep']

/** A project's rules as numbers. What is wrong must not make a collection take more, or less. @throws ALM_CONFIG */
export function retentionRules(config: RetentionConfig | undefined): Retention {
  const rules: Record<string, object> = {}
  for (const [name, rule] of Object.entries(objectAt('', config ?? {}))) {
    if (rule === undefined) continue
    if (name === 'datasets') rules[name] = datasetRules(rule)
    else if (fields[name] === undefined) refuse(name, `it is ${listed([...Object.keys(fields), 'datasets'])}`)
    else rules[name] = ruleOf(name, rule, fields[name])
  }
  return rules
}

/** A dataset's own name goes before patterns, and of these the first that fits. */
function datasetRules(given: unknown): readonly DatasetRule[] {
  const rules = Object.entries(objectAt('datasets', given)).map(([name, rule]) => {
    const place = `datasets[${JSON.stringify(name)}]`
    checkPattern(place, name)
    const isPattern = /[*?[\]{}()!+@]/.test(name)
    const fits = isPattern ? nameGlob(name) : (dataset: string) => dataset === name
    return { isPattern, rule: { name, fits, ...ruleOf(place, rule, datasetFields) } }
  })
  return [...rules.filter((one) => !one.isPattern), ...rules.filter((one) => one.isPattern)].map(
    ({ rule }) => rule,
  )
}

/** What could fit no dataset is a mistake: what it was to keep would go. */
function checkPattern(place: string, name: string): void {
  if (name === '' || name.startsWith('/') || name.endsWith('/') || name.startsWith('!'))
    refuse(place, "it is the name of a dataset, or a pattern like 'raw/*' or 'raw/**'")
  if (name.split('/').some((part) => part === '' || part === '.' || part === '..'))
    refuse(place, "no name has '.', '..' or nothing between its slashes")
}

function ruleOf(name: string, rule: unknown, known: readonly Field[]): object {
  const given = objectAt(name, rule)
  for (const field of Object.keys(given))
    if (!known.includes(field as Field)) refuse(`${name}.${field}`, `it is ${listed(known)}`)
  const { count, age, bytes, keep } = given
  return {
    ...(count !== undefined && { count: wholeNumber(`${name}.count`, count) }),
    ...(age !== undefined && {
      ageMs: durationMs(age as string) ?? refuse(`${name}.age`, "it is a duration like '30d'"),
    }),
    ...(bytes !== undefined && {
      bytes: sizeBytes(bytes as string) ?? refuse(`${name}.bytes`, "it is a size like '50GiB'"),
    }),
    ...(keep !== undefined && { keep: versionNumbers(`${name}.keep`, keep) }),
  }
}

function objectAt(name: string, given: unknown): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given))
    return given as Readonly<Record<string, unknown>>
  return refuse(name, 'it is an object, like { count: 20 }')
}

const wholeNumber = (name: string, count: unknown): number =>
  Number.isSafeInteger(count) && (count as number) >= 0
    ? (count as number)
    : refuse(name, 'it is a whole number')

function versionNumbers(name: string, keep: unknown): ReadonlySet<number> {
  const isList = Array.isArray(keep) && keep.every((one) => Number.isSafeInteger(one) && one > 0)
  return isList
    ? new Set(keep as number[])
    : refuse(name, 'it is a list of numbers of versions, like [3, 12]')
}

const listed = (words: readonly string[]): string =>
  words.length === 1 ? String(words[0]) : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`

function refuse(name: string, why: string): never {
  const place = name === '' ? 'retention' : `retention.${name}`
  throw new AlmanacError('ALM_CONFIG', { file: 'almanac.config.ts', why: `${place}: ${why}` })
}
