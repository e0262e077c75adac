import { isAlmanacError } from '../../model/errors.ts'
import type { AttemptNote } from '../../ports/executor.ts'
import { artifactNote, eventNote, metricNote, progressNote } from '../notes.ts'

/** What one line of the file in `ALMANAC_EVENTS` says. */
export type Said =
  | { readonly kind: 'note'; readonly note: AttemptNote }
  | { readonly kind: 'heartbeat' }
  /** it is none, and why */
  | { readonly kind: 'refused'; readonly why: string }

/**
 * One line, written by the task and hostile until checked:
 *
 *   {"type":"event","name":"arrived","cycle":"12"}       all other fields are the event's body, or `body` is
 *   {"type":"metric","name":"rmse","value":0.25,"step":4}
 *   {"type":"artifact","name":"report","kind":"markdown","text":"# Fine"}
 *   {"type":"progress","done":3,"total":10}
 *   {"type":"heartbeat"}
 */
export function readEventLine(text: string, scratch: string): Said {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return { kind: 'refused', why: 'it is no JSON' }
  }
  if (typeof line !== 'object' || line === null || Array.isArray(line))
    return { kind: 'refused', why: 'it is no object' }
  try {
    return said(line as Record<string, unknown>, scratch)
  } catch (error) {
    if (!isAlmanacError(error)) throw error
    return { kind: 'refused', why: error.message }
  }
}

function said(line: Record<string, unknown>, scratch: string): Said {
  const { type, name, ...rest } = line
  switch (type) {
    case 'heartbeat':
      return { kind: 'heartbeat' }
    case 'event':
      return { kind: 'note', note: eventNote(name, Object.hasOwn(rest, 'body') ? rest['body'] : rest) }
    case 'metric':
      return { kind: 'note', note: metricNote(name, rest['value'], rest['step']) }
    case 'progress':
      return { kind: 'note', note: progressNote(rest['done'], rest['total']) }
    case 'artifact':
      return { kind: 'note', note: artifactNote(name, rest, scratch) }
    default:
      return { kind: 'refused', why: `its type is none of event, metric, artifact, progress, heartbeat` }
  }
}
