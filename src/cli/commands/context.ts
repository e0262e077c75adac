import { readFileSync } from 'node:fs'
import pc from 'picocolors'
import {
  type DocumentKey,
  type DocumentVersion,
  documentJson,
  documentText,
  parseDocument,
  patched,
} from '../../model/document.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Value } from '../../model/value.ts'
import type { Workbench } from '../../workbench.ts'
import { type CommonFlags, count, withAlmanac, withReadAlmanac } from '../session.ts'
import { sizeText, timeText } from '../text/format.ts'
import { table } from '../text/table.ts'

export interface ContextFlags extends CommonFlags {
  readonly env?: string
}

export interface ContextLogFlags extends ContextFlags {
  readonly limit?: string
}

export interface ContextSetFlags extends ContextFlags {
  readonly patch?: boolean
  readonly seen?: string
  readonly by?: string
}

/** Documents asked for at once. */
const page = 500

/** `almanac context ls`: the documents of an environment, with their newest versions. */
export function contextListCommand(flags: ContextFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const rows = [['document', 'version', 'size', 'written', 'by'].map(pc.dim)]
    for await (const newest of documentsOf(almanac)) {
      printer.object(objectOf(newest))
      rows.push([
        documentText(newest),
        String(newest.version),
        sizeText(bytesOf(newest)),
        timeText(newest.madeAt),
        writerText(newest),
      ])
    }
    if (rows.length === 1)
      printer.line('Nothing yet: documents that workflows keep (run.context) are listed here.')
    else for (const line of table(rows)) printer.line(line)
    return 0
  })
}

async function* documentsOf(almanac: Workbench): AsyncGenerator<DocumentVersion> {
  let after: DocumentVersion | undefined
  for (;;) {
    const query = { limit: page, ...(after !== undefined && { after }) }
    const rows = await almanac.documents.list(almanac.environment, query)
    yield* rows
    after = rows.at(-1)
    if (rows.length < page) return
  }
}

/** `almanac context get DOCUMENT[@VERSION]`: what is in it, as JSON. */
export function contextGetCommand(text: string, flags: ContextFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const [name = '', version] = text.split('@')
    const key = keyOf(almanac, name)
    const found = await almanac.documents.version(
      key,
      version === undefined ? undefined : count('the version', version),
    )
    if (found === undefined) throw new AlmanacError('ALM_CONTEXT_UNKNOWN', { document: text })
    printer.object({ ...objectOf(found), value: JSON.parse(found.json) as unknown })
    printer.line(JSON.stringify(JSON.parse(found.json), null, 2))
    return 0
  })
}

/** `almanac context log DOCUMENT`: its versions, newest first. */
export function contextLogCommand(name: string, flags: ContextLogFlags): Promise<void> {
  return withReadAlmanac(flags, async (almanac, printer) => {
    const limit = flags.limit === undefined ? 20 : count('--limit', flags.limit)
    const versions = await almanac.documents.versions(keyOf(almanac, name), { limit })
    if (versions.length === 0) throw new AlmanacError('ALM_CONTEXT_UNKNOWN', { document: name })
    const rows = [['version', 'written', 'size', 'by', 'value'].map(pc.dim)]
    for (const version of versions) {
      printer.object({ ...objectOf(version), value: JSON.parse(version.json) as unknown })
      rows.push([
        String(version.version),
        timeText(version.madeAt),
        sizeText(bytesOf(version)),
        writerText(version),
        version.json.length > 60 ? `${version.json.slice(0, 59)}…` : version.json,
      ])
    }
    for (const line of table(rows)) printer.line(line)
    return 0
  })
}

/** `almanac context set DOCUMENT VALUE`: JSON, or `@FILE` with JSON in it. */
export function contextSetCommand(name: string, text: string, flags: ContextSetFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    const key = keyOf(almanac, name)
    const given = jsonOf(text)
    const newest = flags.patch === true ? await almanac.documents.version(key) : undefined
    const base = newest === undefined ? {} : (JSON.parse(newest.json) as Value)
    // of two who merge at once, neither may write what it has not seen
    const upon = flags.patch === true ? (newest?.version ?? 0) : undefined
    const seen = flags.seen === undefined ? upon : count('--seen', flags.seen)
    const written = await almanac.documents.write({
      ...key,
      json: documentJson(flags.patch === true ? patched(base, given) : given),
      maker: `context set by ${flags.by ?? process.env['USER'] ?? 'someone'}`,
      madeAt: Date.now(),
      ...(seen !== undefined && { seen }),
    })
    printer.object(objectOf(written))
    printer.line(`${documentText(written)} is at version ${written.version}.`)
    return 0
  })
}

const keyOf = (almanac: Workbench, name: string): DocumentKey => ({
  environment: almanac.environment,
  ...parseDocument(name),
})

/** @throws ALM_INPUT_MISSING, ALM_USAGE */
function jsonOf(text: string): Value {
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text) as Value
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'ENOENT')
      throw new AlmanacError('ALM_INPUT_MISSING', { path: text.slice(1) })
    throw new AlmanacError('ALM_USAGE', { why: `a document is JSON: ${(error as Error).message}` })
  }
}

const bytesOf = ({ json }: DocumentVersion): number => Buffer.byteLength(json)

const writerText = ({ run, maker }: DocumentVersion): string => (run === undefined ? maker : `run ${run}`)

const objectOf = (version: DocumentVersion): Readonly<Record<string, unknown>> => {
  const { json: _, ...rest } = version
  return { kind: 'document', document: documentText(version), ...rest, bytes: bytesOf(version) }
}
