import { decode, encode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { BaseRecord, CacheRecord, RunId } from '../../model/records.ts'
import { DirRef, FileRef, SpilledRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { mapRefs } from '../../model/value-refs.ts'
import type { Objects } from '../../ports/objects.ts'
import { isDigest } from '../files/home.ts'
import { receivedNotes } from './received-notes.ts'

/** Documents of a shared store: small JSON objects. What is read may have been written by anybody. */

export type SharedEntry = Omit<CacheRecord, 'kind'> & { readonly run: RunId }
export type SharedBase = Omit<BaseRecord, 'kind'> & { readonly run: RunId }

/** The format that is written, and the only one that is read. */
const format = 1

/** Values in the run cache are small; files are blobs. */
const mostBytes = 64 * 1024 * 1024

export async function writeDocument(
  objects: Objects,
  key: string,
  fields: object,
  options?: { readonly once: boolean },
): Promise<boolean> {
  return await objects.put(key, Buffer.from(`${JSON.stringify({ format, ...fields })}\n`), options)
}

type Fields = Readonly<Record<string, unknown>>

/** Undefined where there is none, or none of this format. @throws ALM_STORE_FAILED where it is no document at all */
export async function readDocument(objects: Objects, key: string): Promise<Fields | undefined> {
  const fields = await readFields(objects, key)
  return fields?.['format'] === format ? fields : undefined
}

/** Undefined where there is none, for callers who must understand all. @throws ALM_STORE_FAILED where it is of another format */
export async function readKnownDocument(objects: Objects, key: string): Promise<Fields | undefined> {
  const fields = await readFields(objects, key)
  if (fields === undefined || fields['format'] === format) return fields
  throw unknownDocument(objects, key)
}

export const unknownDocument = (objects: Objects, key: string): AlmanacError =>
  new AlmanacError('ALM_STORE_FAILED', {
    path: `${objects.url}/${key}`,
    why: 'this version of Almanac does not know what it says, which a newer one may have written',
  })

async function readFields(objects: Objects, key: string): Promise<Fields | undefined> {
  const pieces: Uint8Array[] = []
  const size = await objects.read(key, (piece) => void pieces.push(piece), mostBytes)
  if (size === undefined) return undefined
  let fields: unknown
  try {
    fields = JSON.parse(Buffer.concat(pieces).toString('utf8'))
  } catch (error) {
    const why = 'it is no document of Almanac'
    throw new AlmanacError('ALM_STORE_FAILED', { path: `${objects.url}/${key}`, why }, { cause: error })
  }
  return typeof fields === 'object' && fields !== null ? { ...fields } : {}
}

/** Undefined where a field is none. */
export function entryOf(fields: Fields): SharedEntry | undefined {
  const { fingerprint, name, run, call, valueWire, digest, blobs, costMs, at, partsWire } = fields
  if (!isText(fingerprint) || !isDigest(fingerprint) || !isText(digest) || !isDigest(digest)) return undefined
  if (!isText(name) || !isText(run) || !isText(valueWire) || !isText(partsWire)) return undefined
  if (!isCount(call) || !isCount(costMs) || !isCount(at) || !isDigests(blobs)) return undefined
  const value = elsewhere(valueWire)
  if (value === undefined) return undefined
  const entry = { fingerprint, name, run, call, valueWire: value, digest, blobs, costMs, at, partsWire }
  return { ...entry, ...shownOf(fields) }
}

/** Undefined where a field is none. */
export function baseOf(fields: Fields): SharedBase | undefined {
  const { base, environment, run, call, input, valueWire, at } = fields
  if (!isText(base) || !isDigest(base) || !isText(input) || !isDigest(input)) return undefined
  if (!isText(environment) || !isText(run) || !isText(valueWire) || !isCount(call) || !isCount(at))
    return undefined
  const value = elsewhere(valueWire)
  if (value === undefined) return undefined
  return { base, environment, run, call, input, valueWire: value, at, ...shownOf(fields) }
}

function shownOf(fields: Fields): { readonly shownWire?: string } {
  const shownWire = receivedNotes(fields['shownWire'], withoutPlaces)
  return shownWire === undefined ? {} : { shownWire }
}

const isText = (field: unknown): field is string => typeof field === 'string'
const isCount = (field: unknown): field is number => typeof field === 'number' && field >= 0
const isDigests = (field: unknown): field is string[] =>
  Array.isArray(field) && field.every((one) => isText(one) && isDigest(one))

/** The value as it is on another machine: where its files lay on this one says nothing there. */
function elsewhere(wire: string): string | undefined {
  let value: Value
  try {
    value = decode(wire)
  } catch {
    // not ours, or of a later version
    return undefined
  }
  return encode(withoutPlaces(value))
}

export const withoutPlaces = (value: Value): Value =>
  mapRefs(value, (ref) => {
    if (ref instanceof SpilledRef) return ref
    if (ref instanceof FileRef) return new FileRef(ref.name, ref.digest, ref.size, ref.executable)
    return ref instanceof DirRef ? new DirRef(ref.digest, ref.entries, ref.size) : ref
  })
