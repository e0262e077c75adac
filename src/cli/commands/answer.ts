import { decode, encode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import type { Workbench } from '../../workbench.ts'
import { knownRun } from '../calls.ts'
import { valueLines } from '../looked-at.ts'
import type { Printer } from '../printer.ts'
import { type InputSchema, misfit, schemaText, typesOf } from '../schemas.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'

export interface AnswerFlags extends CommonFlags {
  readonly by?: string
}

type Ask = Awaited<ReturnType<Workbench['records']['asks']>>[number]

/** `almanac answer RUN [CALL] VALUE`: JSON, or `name=value` pairs. Without a value it shows what is asked. */
export function answerCommand(run: string, words: readonly string[], flags: AnswerFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const { id } = await knownRun(almanac, run)
    const open = await almanac.records.asks(id, { open: true })
    if (words.length === 0) {
      await showAsks(almanac, id, open, printer)
      return 0
    }
    const { ask, texts } = meant(id, open, words)
    if (texts.length === 0) {
      await showAsks(almanac, id, [ask], printer)
      return 0
    }
    const schema = JSON.parse(ask.schemaWire) as InputSchema
    const value = answerValue(texts, schema)
    const issues = misfit(schema, value)
    if (issues !== undefined) {
      throw new AlmanacError('ALM_SCHEMA', {
        what: 'The answer',
        issues: `${issues} (wanted: ${schemaText(schema)}). The question is still open`,
      })
    }
    const by = flags.by ?? process.env['USER'] ?? 'someone'
    await almanac.journal.answer(id, ask.call, encode(value), by, Date.now())
    printer.object({ kind: 'answered', run: id, call: ask.call })
    printer.line(`Answered. If no process runs it: almanac resume ${id}`)
    return 0
  })
}

async function showAsks(
  { data }: Workbench,
  run: string,
  asks: readonly Ask[],
  printer: Printer,
): Promise<void> {
  if (asks.length === 0) printer.line(`Run ${run} asks nothing.`)
  for (const ask of asks) {
    const shown = await valueLines(decode(ask.showWire), data)
    printer.object({ ...ask, kind: 'ask', shown })
    const wanted = schemaText(JSON.parse(ask.schemaWire) as InputSchema)
    printer.line(`${ask.call}  ${ask.title}`)
    for (const line of shown) printer.line(`   ${line}`)
    printer.line(`   almanac answer ${run} ${ask.call} ${wanted}`)
  }
}

/** The question that is meant, and the words of its answer. @throws ALM_ASK_CLOSED, ALM_USAGE */
function meant(
  run: string,
  open: readonly Ask[],
  words: readonly string[],
): { readonly ask: Ask; readonly texts: readonly string[] } {
  const [first = '', ...rest] = words
  const isNumber = /^\d+$/.test(first)
  const named = isNumber ? open.find((one) => one.call === Number(first)) : undefined
  if (named !== undefined) return { ask: named, texts: rest }
  if (isNumber && (rest.length > 0 || open.length === 0))
    throw new AlmanacError('ALM_ASK_CLOSED', { run, call: first })
  const [ask, another] = open
  if (ask === undefined) throw new AlmanacError('ALM_USAGE', { why: `run ${run} asks nothing` })
  if (another === undefined) return { ask, texts: words }
  const calls = open.map((one) => one.call).join(', ')
  throw new AlmanacError('ALM_USAGE', { why: `several questions are open; name the call: ${calls}` })
}

/** @throws ALM_USAGE */
function answerValue(texts: readonly string[], schema: InputSchema): Value {
  if (texts.every((text) => /^[\w.-]+=/.test(text))) {
    const fields = texts.map((text): [string, unknown] => {
      const name = text.slice(0, text.indexOf('='))
      return [name, plain(text.slice(name.length + 1), schema.properties?.[name])]
    })
    return Object.fromEntries(fields) as Value
  }
  if (texts.length === 1) return plain(texts[0] as string, schema) as Value
  throw new AlmanacError('ALM_USAGE', { why: 'an answer is one JSON value, or name=value pairs' })
}

/** The text itself where a text is wanted, else JSON where it is JSON. */
function plain(text: string, schema: InputSchema | undefined): unknown {
  if (schema !== undefined && typesOf(schema).has('string')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
