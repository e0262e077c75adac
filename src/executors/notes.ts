import { isAbsolute, resolve } from 'node:path'
import { artifactFault } from '../model/artifact.ts'
import { toWire } from '../model/codec.ts'
import { AlmanacError } from '../model/errors.ts'
import type { Value } from '../model/value.ts'
import type { AttemptNote } from '../ports/executor.ts'

/** What a task says, checked and in the one form in which it is passed on, whichever way it came. */

const maxNameLength = 256

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
  const fault = artifactFault(body)
  if (fault !== undefined) throw refused(...fault)
  const { kind, path } = body as { readonly kind: unknown; readonly path?: unknown }
  if (kind === 'image' && !isText(path)) throw refused('path', 'of an image that a task shows it is a text')
  const isFinal = kind !== 'image' || isAbsolute(path as string)
  const whole = isFinal ? body : { ...(body as object), path: resolve(scratch, path as string) }
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

const refused = (path: string, why: string): AlmanacError =>
  new AlmanacError('ALM_VALUE_REFUSED', { path, why })
