import { describe, expect, it } from 'vitest'
import { fromNpy, toNpy } from './npy.ts'

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

function file(head: string, data: Uint8Array, version = 1): Uint8Array {
  const length = version === 1 ? Buffer.from([head.length, 0]) : Buffer.from([head.length, 0, 0, 0])
  const magic = Buffer.from('\x93NUMPY', 'latin1')
  return new Uint8Array(
    Buffer.concat([magic, Buffer.from([version, 0]), length, Buffer.from(head), Buffer.from(data)]),
  )
}

describe('an .npy file', () => {
  it('is what NumPy writes', () => {
    const npy = Buffer.from(toNpy('Float64Array', 2, bytesOf(new Float64Array([1, 2]))))
    expect(npy.length).toBe(128 + 16)
    expect(npy.toString('latin1', 0, 10)).toBe('\x93NUMPY\x01\x00\x76\x00')
    expect(npy.toString('latin1', 10, 128)).toBe(
      `${"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }".padEnd(117)}\n`,
    )
    expect(npy.readDoubleLE(136)).toBe(2)
  })

  it.each([
    ['Float64Array', new Float64Array([1.5, -2])],
    ['Float32Array', new Float32Array([1.5, -2])],
    ['Float16Array', new Float16Array([1.5, -2])],
    ['Int32Array', new Int32Array([1, -2])],
    ['Uint16Array', new Uint16Array([1, 2])],
    ['BigInt64Array', new BigInt64Array([1n, -2n])],
    ['Int8Array', new Int8Array([])],
  ] as const)('comes as it went: %s', (type, array) => {
    const read = fromNpy(toNpy(type, array.length, bytesOf(array)))
    expect(read).toMatchObject({ type, length: array.length, bytes: bytesOf(array) })
  })

  it('has its elements in the order of their indices', () => {
    const head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"
    const data = bytesOf(new Float32Array([1, 2, 3, 4, 5, 6]))
    expect(fromNpy(file(head, data))).toMatchObject({ type: 'Float32Array', length: 6, bytes: data })
    expect(fromNpy(file(head, data, 2))).toMatchObject({ type: 'Float32Array', length: 6, bytes: data })
  })

  it.each([
    ["{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", 'elements of <c16'],
    ["{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", 'Fortran order'],
    ["{'descr': '<f8', 'fortran_order': False, 'shape': (9,), }", 'it is cut short'],
    ["{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", 'its elements are no numbers'],
  ])('says why it cannot be had: %s', (head, why) => {
    expect(fromNpy(file(head, new Uint8Array(32)))).toContain(why)
  })

  it('is told from a pickle', () => {
    expect(fromNpy(new Uint8Array([0x80, 5, 1, 2, 3, 4, 5, 6]))).toBe('it is no array of numbers')
  })
})
