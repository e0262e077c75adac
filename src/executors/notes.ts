import { isAbsolute, resolve } from 'node:path'
import { toWire } from '../model/codec.ts'
import { AlmanacError } from '../model/errors.ts'
import type { Value } from '../model/value.ts'
import type { AttemptNote } from '../ports/executor.ts'

/** What a task says, checked and in the one form in which it is passed on, whichever way it came. */

const maxNameLength = 256

/** what each kind of artifact must have */
const artifactFields = new Map<unknown, readonly [field: string, fits: (value: unknown) => boolean]>([
  ['markdown', ['text', isText]],
  ['table', ['rows', (value) => Array.isArray(value) && value.every(isRecord)]],
  ['image', ['path', isText]],
  ['link', ['url', isText]],
  ['plot', ['spec', isRecord]],
])

/** @throws ALM_VALUE_REFUSED, as all of these */
export function eventNote(name: unknown, body: unknown): AttemptNote {
  return note('event', checkedName(name), body)
}

export function metricNote(name: unknown, value: unknown, step: unknown): AttemptNote {
  const number = typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value) ? Number(value) : value
  if (typeof number !== 'number') throw refused('value', 'a metric is a number')
  if (step !== undefined && typeof step !== 'number') throw refused('step', 'it is no number')
  return note('metric', checkedName(name), { value: number, ...(step !== undefined && { step }) })
}

export function progressNote(done: unknown, total: unknown): AttemptNote {
  if (typeof done !== 'number' || !(done >= 0)) throw refused('done', 'it is no count')
  if (total !== undefined && total !== null && (typeof total !== 'number' || !(total >= 0))) {
    throw refused('total', 'it is no count')
  }
  return note('progress', '', { done, ...(typeof total === 'number' && { total }) })
}

/** Paths of images become absolute: relative ones are of the attempt's scratch directory. */
export function artifactNote(name: unknown, body: unknown, scratch: string): AttemptNote {
  if (!isRecord(body)) throw refused('artifact', 'it is no object')
  const [field, fits] = artifactFields.get(body['kind']) ?? []
  if (field === undefined || fits === undefined) {
    throw refused('kind', `it is none of ${[...artifactFields.keys()].join(', ')}`)
  }
  if (!fits(body[field])) throw refused(field, `an artifact of kind ${String(body['kind'])} needs it`)
  const path = body['kind'] === 'image' ? String(body['path']) : undefined
  const whole = path === undefined || isAbsolute(path) ? body : { ...body, path: resolve(scratch, path) }
  return note('artifact', checkedName(name), whole)
}

function note(type: AttemptNote['type'], name: string, body: unknown): AttemptNote {
  toWire(body)
  return { type, name, body: body as Value }
}

function checkedName(name: unknown): string {
  if (!isText(name) || name === '' || name.length > maxNameLength) {
    throw refused('name', `a name is a text of 1 to ${maxNameLength} characters`)
  }
  return name
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const refused = (path: string, why: string): AlmanacError =>
  new AlmanacError('ALM_VALUE_REFUSED', { path, why })
