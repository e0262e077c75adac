import { AlmanacError } from '../../model/errors.ts'
import type { ArrayType } from '../../model/task-context.ts'
import { type ArrayName, type ArrayWire, arrayTypes, bytesOf } from './values.ts'

/**
 * Shared memory as one thread sees it. Owns the buffers that it has made and nobody uses, and knows by number those
 * that it was given.
 *
 * M1 a buffer is given out again only after the host has said that nobody uses it
 * M2 free buffers hold at most `keeps` bytes together
 */
export class ThreadMemory {
  readonly #prefix: number
  readonly #keeps: number
  readonly #free = new Map<number, number[]>()
  readonly #known = new Map<number, SharedArrayBuffer>()
  readonly #ids = new WeakMap<ArrayBufferLike, number>()
  /** that the host knows */
  readonly #told = new Set<number>()
  #made = 0
  #freeBytes = 0

  constructor(number: number, keeps: number) {
    this.#prefix = number * 2 ** 32
    this.#keeps = keeps
  }

  /** An array that the host has told of. */
  array({ id, type, offset, length }: ArrayWire): ArrayBufferView | ArrayBuffer {
    const buffer = this.#known.get(id)
    if (buffer === undefined)
      throw new AlmanacError('ALM_BUG', { why: `buffer ${id} is not known in its thread` })
    if (type === 'ArrayBuffer') {
      const copy = new Uint8Array(length)
      copy.set(new Uint8Array(buffer, offset, length))
      return copy.buffer
    }
    return new (constructors[type] as ArrayType<ArrayBufferView>)(buffer, offset, length)
  }

  learn(id: number, buffer: SharedArrayBuffer): void {
    this.#known.set(id, buffer)
    this.#ids.set(buffer, id)
    this.#told.add(id)
  }

  forget(ids: readonly number[]): void {
    for (const id of ids) {
      this.#known.delete(id)
      this.#told.delete(id)
    }
  }

  /** Takes back buffers of its own; returns those that it does not keep. */
  free(ids: readonly number[]): number[] {
    const dropped: number[] = []
    for (const id of ids) {
      const size = this.#known.get(id)?.byteLength
      if (size === undefined) continue
      if (this.#freeBytes + size > this.#keeps) {
        dropped.push(id)
        continue
      }
      this.#freeBytes += size
      const known = this.#free.get(size)
      if (known === undefined) this.#free.set(size, [id])
      else known.push(id)
    }
    this.forget(dropped)
    return dropped
  }

  /** Memory for a new array; it may hold anything. */
  empty<A>(type: ArrayType<A>, length: number): { readonly id: number; readonly array: A } {
    const id = this.#take(length * type.BYTES_PER_ELEMENT)
    return { id, array: new type(this.#known.get(id) as SharedArrayBuffer, 0, length) }
  }

  /**
   * Where an array of a result lies: where it is, if that is shared memory of ours, else in a copy. Undefined for what
   * is no array. `taken` gets the number of a buffer that was taken for it.
   */
  wire(
    value: object,
    taken: number[],
    told: (id: number, buffer: SharedArrayBuffer) => void,
  ): ArrayWire | undefined {
    const type = nameOf(value)
    if (type === undefined) return undefined
    const view = value instanceof ArrayBuffer ? new Uint8Array(value) : (value as Uint8Array)
    const length = value instanceof ArrayBuffer ? value.byteLength : view.length
    let id = this.#ids.get(view.buffer)
    let offset = view.byteOffset
    // a small part would keep all of a large buffer
    if (id === undefined || !this.#known.has(id) || view.buffer.byteLength > 2 * view.byteLength + slack) {
      id = this.#take(bytesOf({ type, length }))
      taken.push(id)
      offset = 0
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      new Uint8Array(this.#known.get(id) as SharedArrayBuffer).set(bytes)
    }
    if (!this.#told.has(id)) {
      this.#told.add(id)
      told(id, this.#known.get(id) as SharedArrayBuffer)
    }
    return { $: 'array', id, type, offset, length }
  }

  #take(bytes: number): number {
    const size = capacity(bytes)
    const known = this.#free.get(size)?.pop()
    if (known !== undefined) {
      this.#freeBytes -= size
      return known
    }
    this.#made += 1
    const id = this.#prefix + this.#made
    const buffer = new SharedArrayBuffer(size)
    this.#known.set(id, buffer)
    this.#ids.set(buffer, id)
    return id
  }
}

/** bytes that a small array may leave unused */
const slack = 4096

/** An eighth is left unused at most, so that arrays of about the same size use each other's memory. */
function capacity(bytes: number): number {
  if (bytes <= 1024) return 1024
  const step = 2 ** Math.max(8, Math.floor(Math.log2(bytes)) - 3)
  return Math.ceil(bytes / step) * step
}

const constructors: Readonly<Record<Exclude<ArrayName, 'ArrayBuffer'>, unknown>> = {
  Float64Array,
  Float32Array,
  Float16Array,
  Int32Array,
  Uint32Array,
  Int16Array,
  Uint16Array,
  Int8Array,
  Uint8ClampedArray,
  BigInt64Array,
  BigUint64Array,
}

/** By its tag: a subclass, or an array of another realm, is one too. */
function nameOf(value: object): ArrayName | undefined {
  if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) return undefined
  const tag = (value as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag]
  return tag !== undefined && Object.hasOwn(arrayTypes, tag) ? (tag as ArrayName) : undefined
}
