import { artifactFault } from '../../model/artifact.ts'
import { decode } from '../../model/codec.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { Artifact } from '../../model/task-context.ts'
import type { Value } from '../../model/value.ts'
import type { Workbench } from '../../workbench.ts'
import { shownName } from '../output/printable.ts'
import { relativePath } from './paths.ts'
import { fullText } from './values.ts'

/** What people look at: values with the paths of their files, and what a run has said of itself. */

/** Fields told one by one; what lies deeper is one text. */
const mostFields = 50

/** A value for people to judge, a line a field; files by where they can be opened. */
export async function valueLines(value: Value, data: Workbench['data']): Promise<string[]> {
  if (value === null || value === undefined) return []
  const isFields = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
  if (!isFields && !Array.isArray(value)) return [await textOf(value, data)]
  const fields = Object.entries(value as Record<string, Value>)
  const lines = fields
    .slice(0, mostFields)
    .map(async ([name, field]) => `${Array.isArray(value) ? '' : `${name}  `}${await textOf(field, data)}`)
  return Promise.all(fields.length > mostFields ? [...lines, `… of ${fields.length}`] : lines)
}

async function textOf(value: Value, data: Workbench['data']): Promise<string> {
  if (value instanceof FileRef || value instanceof DirRef) {
    // what is gone cannot be looked at, but told of
    if (!(await data.available(value))) return `${fullText(value, 200)}, which is not there any more`
    return relativePath(await data.open(value))
  }
  return typeof value === 'string' ? value : fullText(value, 500)
}

/** Names of metrics, and of artifacts, that are told of at most. */
const mostNames = 20_000

/** Metrics and artifacts of a run: of each name the newest, and how many there were. */
export async function saidOf(
  { records, data }: Pick<Workbench, 'records' | 'data'>,
  run: string,
): Promise<{ readonly metrics: Readonly<Record<string, Figure>>; readonly artifacts: readonly Shown[] }> {
  const metrics: Record<string, Figure> = {}
  const newest = { newestOfEach: true, limit: mostNames } as const
  for (const { name, bodyWire, count = 1 } of await records.notes(run, { type: 'metric', ...newest })) {
    const { value } = decode(bodyWire) as { readonly value: number }
    metrics[name] = { value, count }
  }
  const artifacts: Shown[] = []
  for (const { name, bodyWire } of await records.notes(run, { type: 'artifact', ...newest })) {
    const body = decode(bodyWire) as unknown as Artifact
    const text = await artifactText(body, data)
    artifacts.push({ name, kind: body.kind, text, body: await whole(bodyWire, data) })
  }
  return { metrics, artifacts }
}

/** The newest value of a metric, and how often it was given. */
export interface Figure {
  readonly value: number
  readonly count: number
}

/** An artifact as one line. */
export interface Shown {
  readonly name: string
  readonly kind: Artifact['kind']
  readonly text: string
  /** all of it, as JSON; files by where they can be opened */
  readonly body: unknown
}

async function whole(bodyWire: string, data: Workbench['data']): Promise<unknown> {
  const artifact = decode(bodyWire) as unknown as Artifact
  if (artifact.kind !== 'image' || !(artifact.path instanceof FileRef)) return JSON.parse(bodyWire)
  return { ...artifact, path: (await data.available(artifact.path)) ? await data.open(artifact.path) : null }
}

async function artifactText(artifact: Artifact, data: Workbench['data']): Promise<string> {
  // kept by an earlier version, which did not look
  const fault = artifactFault(artifact)
  if (fault !== undefined) return `cannot be shown: ${fault.join(': ')}`
  switch (artifact.kind) {
    case 'image':
      return textOf(artifact.path, data)
    case 'link':
      return shownName(artifact.url)
    case 'markdown':
      return (artifact.text.split('\n', 1)[0] as string).slice(0, 100)
    case 'table':
      return `${artifact.rows.length} rows`
    case 'plot':
      return 'a chart, in JSON: almanac show RUN --json'
  }
}
