import { artifactFault } from '../model/artifact.ts'
import { AlmanacError } from '../model/errors.ts'
import { FutureRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import { eachRef } from '../model/value-refs.ts'
import { toArgs } from './arguments.ts'

/** What a workflow says of itself is kept as it is said: nothing in it may be unknown. */

/** @throws ALM_VALUE_REFUSED, as all of these */
export function eventBody(name: string, body: unknown): Value {
  return known(`event ${name}`, toArgs(body))
}

export function metricBody(name: string, value: unknown, step: number | undefined): Value {
  if (typeof value !== 'number') throw refused(`metric ${name}`, 'a metric is a number; await futures first')
  return { value, ...(step !== undefined && { step }) }
}

/** Files are those that tasks left, or inputs: what lies at a path may be another, or gone, when somebody looks. */
export function artifactBody(name: string, artifact: unknown): Value {
  const where = `artifact ${name}`
  const body = known(where, toArgs(artifact))
  const fault = artifactFault(body)
  if (fault !== undefined) throw refused(`${where}, ${fault[0]}`, fault[1])
  const { kind, path } = body as { readonly kind: string; readonly path?: Value }
  if (kind === 'image' && typeof path === 'string')
    throw refused(
      `${where}, path`,
      `${path} is a text; a workflow shows a file that a task left, or an input: show others in the task that makes them`,
    )
  return body
}

function known(where: string, body: Value): Value {
  eachRef(body, (ref) => {
    if (ref instanceof FutureRef) throw refused(where, 'there is a future in it: await it first')
  })
  return body
}

const refused = (path: string, why: string): AlmanacError =>
  new AlmanacError('ALM_VALUE_REFUSED', { path, why })
