import { artifactFault } from '../../model/artifact.ts'
import { decode } from '../../model/codec.ts'
import { FileRef } from '../../model/refs.ts'
import type { Artifact } from '../../model/task-context.ts'
import type { Workbench } from '../../workbench.ts'
import { nextCommand } from '../output/command-text.ts'
import { shownName } from '../output/printable.ts'
import { fieldText } from './value-lines.ts'

/** Names of metrics, and of artifacts, that are told of at most. */
const mostNames = 20_000

/** Metrics and artifacts of a run: of each name the newest, and how many there were. */
export async function runNotes(
  { records, data }: Pick<Workbench, 'records' | 'data'>,
  run: string,
): Promise<{
  readonly metrics: Readonly<Record<string, MetricValue>>
  readonly artifacts: readonly ArtifactLine[]
}> {
  const metrics: Record<string, MetricValue> = {}
  const newest = { newestOfEach: true, limit: mostNames } as const
  for (const { name, bodyWire, count = 1 } of await records.notes(run, { type: 'metric', ...newest })) {
    const { value } = decode(bodyWire) as { readonly value: number }
    metrics[name] = { value, count }
  }
  const artifacts: ArtifactLine[] = []
  for (const { name, bodyWire } of await records.notes(run, { type: 'artifact', ...newest })) {
    const body = decode(bodyWire) as unknown as Artifact
    const text = await artifactText(body, data)
    artifacts.push({ name, kind: body.kind, text, body: await whole(bodyWire, data) })
  }
  return { metrics, artifacts }
}

/** The newest value of a metric, and how often it was given. */
export interface MetricValue {
  readonly value: number
  readonly count: number
}

/** An artifact as one line. */
export interface ArtifactLine {
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
      return fieldText(artifact.path, data)
    case 'link':
      return shownName(artifact.url)
    case 'markdown':
      return (artifact.text.split('\n', 1)[0] as string).slice(0, 100)
    case 'table':
      return `${artifact.rows.length} rows`
    case 'plot':
      return `a chart, in JSON: ${nextCommand('show RUN --json')}`
  }
}
