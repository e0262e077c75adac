import { text as textOf } from 'node:stream/consumers'
import { AlmanacError } from '../../model/errors.ts'
import { knownRun } from '../calls.ts'
import { nextCommand } from '../command-text.ts'
import { givenValue } from '../given-value.ts'
import { type InputSchema, misfit, schemaText } from '../schemas.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { standing } from '../standing.ts'

export interface SendFlags extends CommonFlags {
  readonly by?: string
  readonly id?: string
}

/** `almanac send RUN NAME [VALUE]`: JSON, `name=value` pairs or a text; `-` for what comes over standard input. */
export function sendCommand(
  run: string,
  name: string,
  words: readonly string[],
  flags: SendFlags,
): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const record = await knownRun(almanac, run)
    const { id } = record
    const texts = words.length === 1 && words[0] === '-' ? [await textOf(process.stdin)] : words
    const open = await almanac.records.asks(id, { open: true })
    const wanted = open.find((ask) => ask.of === 'receive' && ask.name === name)
    const schema = wanted === undefined ? undefined : (JSON.parse(wanted.schemaWire) as InputSchema)
    const value = texts.length === 0 ? null : givenValue(texts, schema ?? {}, 'a message')
    const issues = schema && misfit(schema, value)
    if (schema !== undefined && issues !== undefined) {
      throw new AlmanacError('ALM_SCHEMA', {
        what: 'The message',
        issues: `${issues} (wanted: ${schemaText(schema)}). It was not sent`,
      })
    }
    const by = flags.by ?? process.env['USER'] ?? 'someone'
    const more = { by, ...(flags.id !== undefined && { id: flags.id }) }
    const sent = await almanac.send(id, name, value, more)
    printer.object({ kind: 'sent', run: id, name, ...sent })
    const { process: owner } = await standing(almanac, record)
    const next = owner === undefined ? ` The run goes on with: ${nextCommand(`resume ${id}`)}` : ''
    printer.line(sent.isNew ? `Sent.${next}` : `It was sent before, as message ${sent.seq}.${next}`)
    return 0
  })
}
