import { parseArgs } from 'node:util'
import { flag, named, type Option } from './option.ts'

/** What a script can be asked for. */
export interface Askable<Options extends Readonly<Record<string, Option>>> {
  /** how it is started, up to its options: `npm run bench --` */
  readonly command: string
  readonly does: string
  readonly options: Options
  /** words that it takes beside options */
  readonly words?: { readonly shown: string; readonly of: readonly string[] }
}

type Values<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends Option<infer Value> ? Value : never
} & { readonly words: readonly string[] }

/** What was asked for; `told`: nothing that a script can do, but a text for whoever asked. */
export type Asked<Options> =
  | { readonly values: Values<Options> }
  | { readonly told: string; readonly exitCode: 0 | 2 }

/** The values of a script's options. Asked for help, or for what there is not, the process says so and ends. */
export function scriptOptions<const Options extends Readonly<Record<string, Option>>>(
  askable: Askable<Options>,
): Values<Options> {
  const asked = askedOptions(askable, process.argv.slice(2))
  if ('values' in asked) return asked.values
  process[asked.exitCode === 0 ? 'stdout' : 'stderr'].write(`${asked.told}\n`)
  process.exit(asked.exitCode)
}

export function askedOptions<const Options extends Readonly<Record<string, Option>>>(
  askable: Askable<Options>,
  args: readonly string[],
): Asked<Options> {
  const options: Readonly<Record<string, Option>> = { ...askable.options, help }
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { shown }]) => [
          name,
          { type: shown === undefined ? 'boolean' : 'string' },
        ]),
      ),
      allowPositionals: askable.words !== undefined,
    })
    if (values['help'] === true) return { told: helpOf(askable, options), exitCode: 0 }
    const found = Object.entries(askable.options).map(([name, option]) => [
      name,
      readValue(name, option, values[name]),
    ])
    const words = positionals.map((word) => wordOf(askable, word))
    return { values: { ...Object.fromEntries(found), words } as Values<Options> }
  } catch (error) {
    // Node's first sentence says it; those after are about texts that begin with a dash
    const said = (error as Error).message.split('. ')[0]
    return { told: `${said}: see ${askable.command} --help`, exitCode: 2 }
  }
}

const help = flag('this')

function readValue(name: string, option: Option, given: unknown): unknown {
  try {
    return option.read(given === undefined ? undefined : String(given))
  } catch (error) {
    throw new Error(`--${name} ${(error as Error).message}`)
  }
}

function wordOf({ words }: Askable<object & Record<string, Option>>, given: string): string {
  try {
    return named(words?.of ?? [], given, 'one of')
  } catch (error) {
    throw new Error(`${words?.shown} ${(error as Error).message}`)
  }
}

function helpOf(
  { command, does, words }: Askable<Readonly<Record<string, Option>>>,
  options: Readonly<Record<string, Option>>,
): string {
  const rows = Object.entries(options).map(
    ([name, { shown, is }]) => [[`--${name}`, shown].filter(Boolean).join(' '), is] as const,
  )
  const width = Math.max(...rows.map(([left]) => left.length).filter((length) => length <= 24))
  return [
    `${command} [options]${words === undefined ? '' : ` [${words.shown} …]`}`,
    ...does.split('\n'),
    ...rows.flatMap(([left, is]) =>
      left.length <= width
        ? [`  ${left.padEnd(width)}  ${is}`]
        : [`  ${left}`, `  ${''.padEnd(width)}  ${is}`],
    ),
    ...(words === undefined ? [] : [`  ${words.shown}: ${words.of.join(', ')}`]),
  ].join('\n')
}
