import { encode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import { knownRun } from '../calls.ts'
import { type CommonFlags, withAlmanac } from '../session.ts'

export interface AnswerFlags extends CommonFlags {
  readonly by?: string
}

/** `almanac answer RUN [CALL] VALUE`: JSON, or `name=value` pairs. Without a value it shows what is asked. */
export function answerCommand(run: string, words: readonly string[], flags: AnswerFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    const { id } = await knownRun(almanac, run)
    const open = await almanac.records.asks(id, { open: true })
    const [first, ...rest] = words
    const named = first !== undefined && /^\d+$/.test(first) && open.some((ask) => ask.call === Number(first))
    const ask = named ? open.find((one) => one.call === Number(first)) : open[0]
    const texts = named ? rest : words
    if (ask === undefined) throw new AlmanacError('ALM_ASK_CLOSED', { run: id, call: first ?? '' })
    if (texts.length === 0) {
      for (const one of open) {
        printer.object(one)
        printer.line(`${one.call}  ${one.title}\n   ${one.schemaWire}`)
      }
      return 0
    }
    if (!named && open.length > 1)
      throw new AlmanacError('ALM_USAGE', {
        why: `several questions are open; name the call: ${open.map((one) => one.call).join(', ')}`,
      })
    const by = flags.by ?? process.env['USER'] ?? 'someone'
    await almanac.journal.answer(id, ask.call, encode(answerValue(texts)), by, Date.now())
    printer.object({ kind: 'answered', run: id, call: ask.call })
    printer.line(`Answered. If no process runs it: almanac resume ${id}`)
    return 0
  })
}

/** @throws ALM_USAGE */
function answerValue(texts: readonly string[]): ReturnType<typeof JSON.parse> {
  if (texts.every((text) => /^[\w.-]+=/.test(text))) {
    return Object.fromEntries(
      texts.map((text) => [text.slice(0, text.indexOf('=')), plain(text.slice(text.indexOf('=') + 1))]),
    )
  }
  if (texts.length === 1) return plain(texts[0] as string)
  throw new AlmanacError('ALM_USAGE', { why: 'an answer is one JSON value, or name=value pairs' })
}

/** JSON where it is JSON, else the text itself. */
function plain(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
