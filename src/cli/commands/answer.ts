import { decode, encode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Workbench } from '../../workbench.ts'
import { givenOrRead } from '../input/given-value.ts'
import { type InputSchema, misfit, schemaText } from '../input/schemas.ts'
import { nextCommand } from '../output/command-text.ts'
import type { Printer } from '../output/printer.ts'
import { knownRun } from '../runs/calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { askObject } from '../text/objects.ts'
import { filesOf, valueLines } from '../text/value-lines.ts'

export interface AnswerFlags extends CommonFlags {
  readonly by?: string
}

type Ask = Awaited<ReturnType<Workbench['records']['asks']>>[number]

/**
 * `almanac answer RUN [CALL] VALUE`: JSON, `name=value` pairs, or `-` for what comes over standard input. Without a value
 * it shows what is asked.
 */
export function answerCommand(run: string, words: readonly string[], flags: AnswerFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const { id, file } = await knownRun(almanac, run)
    const open = await openAsks(almanac, id, words)
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
    const value = await givenOrRead(texts, schema, 'an answer')
    const issues = misfit(schema, value, file)
    if (issues !== undefined) {
      throw new AlmanacError('ALM_SCHEMA', {
        what: 'The answer',
        issues: `${issues} (wanted: ${schemaText(schema)}). The question is still open`,
      })
    }
    const by = flags.by ?? process.env['USER'] ?? 'someone'
    await almanac.journal.answer(id, ask.call, encode(value), by, Date.now())
    printer.object({ kind: 'answered', run: id, call: ask.call })
    printer.line(`Answered. If no process runs it: ${nextCommand(`resume ${id}`)}`)
    return 0
  })
}

/** Those that are listed, and the one that is named: there may be more than a list has. */
async function openAsks({ records }: Workbench, run: string, [first = '']: readonly string[]) {
  const listed = await records.asks(run, { open: true, of: 'person' })
  const call = Number(first)
  if (!/^\d{1,9}$/.test(first) || listed.some((one) => one.call === call)) return listed
  return [...listed, ...(await records.asks(run, { open: true, of: 'person', call }))]
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
    printer.object({ ...askObject(ask), shown, files: await filesOf(decode(ask.showWire), data) })
    const wanted = schemaText(JSON.parse(ask.schemaWire) as InputSchema)
    printer.line(`${ask.call}  ${ask.title}`)
    for (const line of shown) printer.line(`   ${line}`)
    printer.line(`   ${nextCommand(`answer ${run} ${ask.call} ${wanted}`)}`)
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
