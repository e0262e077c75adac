import type { ArrayName } from './values.ts'

/** Arrays as files: the `.npy` format of NumPy, which Python's workers write and read too. */

const kinds: Readonly<Record<ArrayName, string>> = {
  Float64Array: '<f8',
  Float32Array: '<f4',
  Float16Array: '<f2',
  Int32Array: '<i4',
  Uint32Array: '<u4',
  Int16Array: '<i2',
  Uint16Array: '<u2',
  Int8Array: '|i1',
  Uint8ClampedArray: '|u1',
  BigInt64Array: '<i8',
  BigUint64Array: '<u8',
  ArrayBuffer: '|u1',
}

/** Types by what NumPy calls them, where it has one: of bytes the first that fits. */
const types: Readonly<Record<string, ArrayName>> = {
  ...Object.fromEntries(Object.entries(kinds).map(([type, kind]) => [kind, type as ArrayName])),
  '|u1': 'ArrayBuffer',
  '|b1': 'ArrayBuffer',
}

const magic = '\x93NUMPY'

/** A one-dimensional array, whole. */
export function toNpy(type: ArrayName, length: number, bytes: Uint8Array): Uint8Array {
  const head = `{'descr': '${kinds[type]}', 'fortran_order': False, 'shape': (${length},), }`
  // the data begins at a multiple of 64
  const padded = `${head.padEnd(Math.ceil((head.length + 11) / 64) * 64 - 11)}\n`
  const npy = new Uint8Array(10 + padded.length + bytes.length)
  Buffer.from(npy.buffer).write(`${magic}\x01\x00`, 'latin1')
  new DataView(npy.buffer).setUint16(8, padded.length, true)
  Buffer.from(npy.buffer).write(padded, 10, 'latin1')
  npy.set(bytes, 10 + padded.length)
  return npy
}

/** What a file holds: its elements in the order of their indices, without the shape. A text says why it cannot be had. */
export function fromNpy(
  npy: Uint8Array,
): { readonly type: ArrayName; readonly length: number; readonly bytes: Uint8Array } | string {
  const text = Buffer.from(npy.buffer, npy.byteOffset, npy.byteLength)
  if (text.toString('latin1', 0, 6) !== magic) return 'it is no array of numbers'
  const isFirst = npy[6] === 1
  const from = isFirst ? 10 : 12
  const end = from + (isFirst ? text.readUInt16LE(8) : text.readUInt32LE(8))
  const head = text.toString('latin1', from, end)
  const kind = /'descr': '([^']*)'/.exec(head)?.[1]
  const shape = /'shape': \(([\d, ]*)\)/.exec(head)?.[1]
  if (kind === undefined || shape === undefined) return 'its elements are no numbers'
  const type = types[kind]
  if (type === undefined) return `a function of JavaScript has no array for elements of ${kind}`
  const sides = shape.split(',').filter((side) => side.trim() !== '')
  if (head.includes("'fortran_order': True") && sides.length > 1)
    return 'its elements lie in Fortran order; return numpy.ascontiguousarray of it'
  const length = sides.reduce((product, side) => product * Number(side), 1)
  const bytes = npy.subarray(end)
  return bytes.length < length * Number(kind.slice(2)) ? 'it is cut short' : { type, length, bytes }
}
