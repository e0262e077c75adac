import { AlmanacError } from '../../model/errors.ts'
import { givenOrRead } from '../input/given-value.ts'
import { type InputSchema, misfit, schemaText } from '../input/schemas.ts'
import { nextCommand } from '../output/command-text.ts'
import { knownRun } from '../runs/calls.ts'
import { type CommonFlags, withReadAlmanac } from '../session.ts'
import { runStatus } from '../text/run-status.ts'

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
    const open = await almanac.records.asks(id, { open: true, of: 'receive' })
    const wanted = open.find((ask) => ask.name === name)
    const schema = wanted === undefined ? undefined : (JSON.parse(wanted.schemaWire) as InputSchema)
    const value = words.length === 0 ? null : await givenOrRead(words, schema ?? {}, 'a message')
    const issues = schema && misfit(schema, value, record.file)
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
    const { process: owner } = await runStatus(almanac, record)
    const next = owner === undefined ? ` The run goes on with: ${nextCommand(`resume ${id}`)}` : ''
    printer.line(sent.isNew ? `Sent.${next}` : `It was sent before, as message ${sent.seq}.${next}`)
    return 0
  })
}
