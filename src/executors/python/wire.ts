import { readFileSync, rmSync } from 'node:fs'
import { fromWire, isPlainScalar, toWire } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { Path } from '../../model/path.ts'
import { DirRef, FileRef, HeldRef, UrlRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { Interner } from '../jobs/interner.ts'
import type { SharedFile } from '../jobs/shared-file.ts'
import type { SharedFiles } from './shared-files.ts'

/**
 * Values on their way to a worker and back: the codec's form, but for three things. Objects with a key `$` go in as
 * pairs, since Python decodes from the inside out; large bytes go through shared files; held values go in by handle,
 * with the file that holds them where the worker does not.
 */

/** bytes from this size on do not go through JSON; known to `values.py` as well */
const blobSize = 64 * 1024

/** Where a worker finds a held value that it does not hold itself. */
export interface HeldPlace {
  readonly file: SharedFile
  readonly path: string
  readonly form: 'pickle' | 'npy'
  readonly spans: readonly (readonly [number, number])[]
}

/** Inputs of plain values, which most are, as JSON text; undefined for all others. */
export function plainInputs(inputs: Readonly<Record<string, Value>>): string | undefined {
  for (const name in inputs) if (name === '$' || !isPlainScalar(inputs[name])) return undefined
  return JSON.stringify(inputs)
}

/** Inputs as JSON text. Files made for large bytes are added to `blobs`. @throws ALM_VALUE_REFUSED */
export function inputsText(
  inputs: Readonly<Record<string, Value>>,
  placeOf: (handle: number) => HeldPlace | undefined,
  files: SharedFiles,
  blobs: SharedFile[],
): string {
  const wire = (value: Value, path: Path): unknown => {
    if (value === null || typeof value !== 'object') return toWire(value, path)
    if (Array.isArray(value)) return value.map((item, index) => wire(item, [...path, index]))
    if (value instanceof HeldRef) return heldWire(value, placeOf(value.handle))
    if (value instanceof FileRef || value instanceof DirRef) {
      if (value.at === undefined)
        throw new AlmanacError('ALM_BUG', { why: `input ${path.join('.')} was not staged` })
      return { $: value instanceof FileRef ? 'file' : 'dir', at: value.at }
    }
    if (value instanceof UrlRef) {
      if (value.at === undefined)
        throw new AlmanacError('ALM_BUG', { why: `input ${path.join('.')} was not staged` })
      return value.at
    }
    if (value instanceof Uint8Array && value.length >= blobSize) {
      const file = files.take(value.length)
      blobs.push(file)
      return { $: 'blob', file: files.write(file, value), size: value.length }
    }
    if (!isPlain(value)) return toWire(value, path)
    const pairs = Object.keys(value).map((key): [string, unknown] => [key, wire(value[key], [...path, key])])
    if (Object.hasOwn(value, '$')) return { $: 'pairs', v: pairs }
    // an object literal would take `__proto__` for a prototype
    return Object.fromEntries(pairs)
  }
  return JSON.stringify(wire(inputs, []))
}

function heldWire(ref: HeldRef, place: HeldPlace | undefined): unknown {
  if (place === undefined) return { $: 'held', handle: ref.handle }
  const { file, path, form, spans } = place
  return { $: 'held', handle: ref.handle, segment: file.name, file: path, form, spans }
}

/**
 * A result's value, with large bytes read from their files, which are removed. What is held gets the call's key, and
 * has the parts of `interner`.
 * @throws ALM_VALUE_REFUSED
 */
export function resultValue(wire: unknown, key: string, files: SharedFiles, interner: Interner): Value {
  if (wire === null || typeof wire !== 'object') return fromWire(wire)
  if (Array.isArray(wire)) return wire.map((item) => resultValue(item, key, files, interner))
  const fields = wire as Record<string, unknown>
  if (!Object.hasOwn(fields, '$')) return resultFields(fields, key, files, interner)
  if (fields['$'] === 'blob') return readBlob(fields['file'], fields['size'], files)
  if (fields['$'] === 'held') return sharing(fromWire({ ...fields, key }), interner)
  const inner = fields['v']
  if (fields['$'] === 'object' && inner !== null && typeof inner === 'object' && !Array.isArray(inner)) {
    return resultFields(inner as Record<string, unknown>, key, files, interner)
  }
  return fromWire(wire)
}

function sharing(value: Value, interner: Interner): Value {
  if (!(value instanceof HeldRef)) return value
  const { key, path, type, size, holder, handle } = value
  const where = interner.one(path, `at ${JSON.stringify(path)}`)
  return new HeldRef(
    key,
    where,
    interner.one(type, `a ${type}`),
    size,
    interner.one(holder, `in ${holder}`),
    handle,
  )
}

const resultFields = (
  fields: Record<string, unknown>,
  key: string,
  files: SharedFiles,
  interner: Interner,
): Value =>
  Object.fromEntries(
    Object.keys(fields).map((name) => [name, resultValue(fields[name], key, files, interner)]),
  )

function readBlob(path: unknown, size: unknown, files: SharedFiles): Uint8Array {
  if (typeof path !== 'string' || !files.owns(path)) {
    throw new AlmanacError('ALM_VALUE_REFUSED', { path: String(path), why: 'it is no file of this worker' })
  }
  const bytes = readFileSync(path)
  rmSync(path)
  if (bytes.length !== size) throw new AlmanacError('ALM_VALUE_REFUSED', { path, why: 'it is cut short' })
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function isPlain(value: object): value is Readonly<Record<string, Value>> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
