import { decode, encode, isPlainValue } from '../../model/codec.ts'
import { isAlmanacError } from '../../model/errors.ts'
import { type SpilledKind, SpilledRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { DataPlane } from '../../ports/data.ts'

/** Characters of a value as JSON up to which the journal keeps it whole. */
const keptWhole = 64 * 2 ** 10

/**
 * A large value as a blob of its own, of which the journal keeps the digest; undefined where the journal keeps the value
 * whole: it is small, or it speaks of files, which the journal has to know to keep them. `wire`: the value as JSON.
 */
export function spilled(value: Value, wire: string, data: DataPlane): Promise<SpilledRef> | undefined {
  if (wire.length <= keptWhole || speaksOfOthers(value)) return undefined
  return data
    .writeFile('value.json', new TextEncoder().encode(wire))
    .then(({ digest, size }) => new SpilledRef(digest, size, plainKind(value)))
}

/** What a blob stands for; undefined where it is gone or damaged, so that the value is to be made again. */
export async function unspilled(ref: SpilledRef, data: DataPlane): Promise<Value> {
  try {
    if (!(await data.available(ref))) return undefined
    return decode(new TextDecoder().decode(await data.readFile(ref)))
  } catch (error) {
    if (isAlmanacError(error) && lost.has(error.code)) return undefined
    throw error
  }
}

const lost: ReadonlySet<string> = new Set(['ALM_BLOB_MISSING', 'ALM_BLOB_DAMAGED', 'ALM_VALUE_REFUSED'])

/** The text that the journal keeps of a value. */
export async function keptWire(value: Value, data: DataPlane): Promise<string> {
  const wire = encode(value)
  const ref = await spilled(value, wire, data)
  return ref === undefined ? wire : encode(ref)
}

const plainKind = (value: Value): SpilledKind | undefined =>
  isPlainValue(value) ? (typeof value === 'string' ? 'text' : 'object') : undefined

/** What a blob that is in the store stands for, at once. @throws ALM_BLOB_MISSING, ALM_BLOB_DAMAGED, ALM_VALUE_REFUSED */
export const unspilledNow = (ref: SpilledRef, data: DataPlane): Value =>
  decode(new TextDecoder().decode(data.readNow(ref)))

function speaksOfOthers(value: Value): boolean {
  let found = false
  eachRef(value, () => {
    found = true
  })
  return found
}
