import type { AlmanacConfig } from '../flow/config.ts'
import { limitRules } from '../flow/limits.ts'
import { checkNames } from '../flow/option-names.ts'
import { shown, sizeBytes } from '../flow/options.ts'
import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import type { WorkbenchOptions } from '../workbench.ts'

/** Where a value stands: what was given, and the path of names in it. */
interface Place {
  readonly of: string
  readonly option: string
}

/** @throws ALM_OPTION_REFUSED naming the option */
type Check = (given: unknown, place: Place) => void

/** One for each name: the type asks for all of them. */
type Checks<T> = { readonly [K in keyof T]-?: Check }

/** `why` follows the value. */
const isA =
  (isOne: (given: unknown) => boolean, why: string): Check =>
  (given, place) => {
    if (!isOne(given)) refuse(place, `${shown(given)} ${why}`)
  }

const anything: Check = () => undefined
const text = isA((given) => typeof given === 'string', 'is no text')
const flag = isA((given) => typeof given === 'boolean', 'is neither true nor false')
const wholeNumber = isA(
  (given) => Number.isSafeInteger(given) && (given as number) >= 1,
  'is no whole number from 1',
)
const size = isA((given) => (sizeBytes(given as string) ?? 0) > 0, `is no size; write '512MiB' or '2GiB'`)
const areTexts = (given: unknown): boolean =>
  Array.isArray(given) && given.every((one) => typeof one === 'string')
const texts = isA(areTexts, `is no list of texts; write ['…']`)

const isObject = (given: unknown): given is object =>
  typeof given === 'object' && given !== null && !Array.isArray(given)
const object = isA(isObject, 'is no object, like { … }')

const oneOf = (...words: readonly string[]): Check => {
  const all = words.map((word) => JSON.stringify(word))
  const why =
    all.length === 2
      ? `neither ${all.join(' nor ')}`
      : `none of ${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
  return isA((given) => words.includes(given as string), `is ${why}`)
}

/** An object with these names, and no others. */
function fields<T>(checks: Checks<T>): Check {
  return (given, place) => {
    object(given, place)
    const within = place.option === '' ? '' : `${place.option}.`
    checkNames(place.of, given as object, checks, within)
    for (const [name, value] of Object.entries(given as object))
      if (value !== undefined) checks[name as keyof T](value, { ...place, option: `${within}${name}` })
  }
}

const limits: Check = (given, place) => {
  object(given, place)
  for (const [name, limit] of Object.entries(given as object))
    if (typeof limit !== 'number' && !isObject(limit))
      refuse({ ...place, option: `limits.${name}` }, `${shown(limit)} is neither a number nor an object`)
  limitRules(place.of, given as NonNullable<AlmanacConfig['limits']>)
}

const store = fields<Exclude<AlmanacConfig['store'], string | undefined>>({
  url: text,
  endpoint: text,
  region: text,
  pathStyle: flag,
  results: oneOf('share', 'read', 'off'),
  logs: flag,
  plain: flag,
  local: size,
})

const config = fields<AlmanacConfig>({
  parallel: wholeNumber,
  memory: size,
  limits,
  arrays: size,
  depth: wholeNumber,
  environment: text,
  store: (given, place) => (typeof given === 'string' ? undefined : store(given, place)),
  // by whoever makes rules of it
  retention: anything,
  threads: wholeNumber,
  python: fields<NonNullable<AlmanacConfig['python']>>({ processes: wholeNumber }),
  callbacks: fields<NonNullable<AlmanacConfig['callbacks']>>({ listen: text, url: text }),
  container: fields<NonNullable<AlmanacConfig['container']>>({
    program: (given, place) => (typeof given === 'string' ? undefined : texts(given, place)),
    args: texts,
  }),
})

const openOptions = fields<WorkbenchOptions>({
  project: text,
  home: text,
  parallel: wholeNumber,
  memoryBytes: isA((given) => Number.isFinite(given) && (given as number) > 0, 'is no number over 0'),
  environment: text,
  python: fields<NonNullable<WorkbenchOptions['python']>>({
    processes: wholeNumber,
    debug: oneOf('pdb', 'debugpy'),
  }),
  journal: oneOf('sqlite', 'memory'),
  onMessage: isA((given) => typeof given === 'function', 'is no function'),
  inline: flag,
  reads: flag,
  frees: flag,
  // by whoever makes bytes of it
  memory: anything,
  near: text,
})

/** A project's configuration: what is wrong in it is said, and never taken for something else. @throws ALM_CONFIG */
export function checkedConfig(file: string, given: unknown): AlmanacConfig {
  if (!isObject(given))
    throw new AlmanacError('ALM_CONFIG', { file, why: 'it exports no configuration by default' })
  try {
    config(given, { of: file, option: '' })
    return given
  } catch (error) {
    if (!isAlmanacError(error) || error.code !== 'ALM_OPTION_REFUSED') throw error
    const { option, why } = error.details
    throw new AlmanacError('ALM_CONFIG', { file, why: `${option}: ${why}` })
  }
}

/** @throws ALM_OPTION_REFUSED */
export const checkOpenOptions = (options: object): void => openOptions(options, { of: 'open', option: '' })

/** How many processors one run may take. @throws ALM_OPTION_REFUSED */
export const checkParallel = (given: unknown): void =>
  wholeNumber(given, { of: 'the run', option: 'parallel' })

function refuse({ of: task, option }: Place, why: string): never {
  throw new AlmanacError('ALM_OPTION_REFUSED', { option, task, why })
}
