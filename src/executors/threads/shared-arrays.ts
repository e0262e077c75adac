import type { Path } from '../../model/path.ts'
import { HeldRef } from '../../model/refs.ts'
import { fromNpy, toNpy } from './npy.ts'
import { type ArrayName, type ArrayWire, arrayTypes, bytesOf } from './values.ts'

/** A thread as the one that made buffers, or knows them. */
export interface BufferHolder {
  /** it may use them again */
  free(ids: readonly number[]): void
  /** they are gone */
  forget(ids: readonly number[]): void
}

interface Shared {
  readonly id: number
  readonly buffer: SharedArrayBuffer
  /** who may use it again; undefined where that thread is gone, or it is the host's own */
  owner: BufferHolder | undefined
  readonly knownTo: Set<BufferHolder>
  /** arrays in it that are held, and attempts that were given one */
  uses: number
}

/** An array of a result. */
interface Held {
  readonly wire: ArrayWire
  readonly size: number
}

/**
 * Arrays that live in this process, in memory that its threads share. Owns which array lies where, and who uses it.
 *
 * S1 a buffer is its owner's again when no array in it is held and no attempt uses one; without an owner it is gone
 * S2 the death of a thread loses no array
 * S3 handles are never those of another executor
 */
export class SharedArrays {
  readonly #holder: string
  readonly #arrays = new Map<number, Held>()
  readonly #buffers = new Map<number, Shared>()
  /** attempts that were given an array and have not ended */
  readonly #wanted = new Map<number, number>()
  #lastHandle = firstHandle
  #lastBuffer = 0
  /** bytes of arrays that are held */
  bytes = 0

  constructor(holder: string) {
    this.#holder = holder
  }

  /** A thread tells of a buffer. */
  learn(id: number, buffer: SharedArrayBuffer, owner: BufferHolder): void {
    this.#buffers.set(id, { id, buffer, owner, knownTo: new Set([owner]), uses: 0 })
  }

  /** The owner does not keep free buffers. */
  dropped(ids: readonly number[], owner: BufferHolder): void {
    for (const id of ids) {
      const shared = this.#buffers.get(id)
      if (shared === undefined || shared.owner !== owner) continue
      shared.knownTo.delete(owner)
      this.#drop(shared)
    }
  }

  /** An array of a result is held. Undefined for what nobody has told of. */
  hold(wire: ArrayWire, key: string, path: Path): HeldRef | undefined {
    const shared = this.#buffers.get(wire.id)
    const size = bytesOf(wire)
    if (shared === undefined || wire.offset + size > shared.buffer.byteLength) return undefined
    shared.uses += 1
    const handle = this.#add({ wire, size })
    return new HeldRef(key, path, `${arrayTypes[wire.type]}[${wire.length}]`, size, this.#holder, handle)
  }

  has(handle: number): boolean {
    return this.#arrays.has(handle)
  }

  /** Where a held array lies, for an attempt that uses it from now on; the buffer too if the thread does not know it. */
  use(
    handle: number,
    user: BufferHolder,
  ): { readonly wire: ArrayWire; readonly buffer: SharedArrayBuffer | undefined } | undefined {
    const held = this.#arrays.get(handle)
    const shared = held && this.#buffers.get(held.wire.id)
    if (held === undefined || shared === undefined) return undefined
    shared.uses += 1
    const isKnown = shared.knownTo.has(user)
    shared.knownTo.add(user)
    return { wire: held.wire, buffer: isKnown ? undefined : shared.buffer }
  }

  /** An attempt no longer uses a buffer. */
  unuse(id: number): void {
    const shared = this.#buffers.get(id)
    if (shared === undefined) return
    shared.uses -= 1
    if (shared.uses > 0) return
    if (shared.owner === undefined) this.#drop(shared)
    else shared.owner.free([id])
  }

  /** So many more attempts (or fewer) need these arrays. */
  want(handles: readonly number[], change: 1 | -1): void {
    for (const handle of handles) {
      const count = (this.#wanted.get(handle) ?? 0) + change
      if (count > 0) this.#wanted.set(handle, count)
      else this.#wanted.delete(handle)
    }
  }

  release(handles: readonly number[]): void {
    for (const handle of handles) {
      const held = this.#arrays.get(handle)
      if (held === undefined) continue
      this.#arrays.delete(handle)
      this.bytes -= held.size
      this.unuse(held.wire.id)
    }
  }

  /** The bytes of a held array, as a file of it. */
  file(handle: number): Uint8Array | undefined {
    const held = this.#arrays.get(handle)
    const shared = held && this.#buffers.get(held.wire.id)
    if (held === undefined || shared === undefined) return undefined
    const { type, length, offset } = held.wire
    return toNpy(type, length, new Uint8Array(shared.buffer, offset, held.size))
  }

  /** What such a file holds, held again; or why it cannot be. */
  fromFile(npy: Uint8Array, typeText: string): number | string {
    const read = fromNpy(npy)
    if (typeof read === 'string') return read
    const clamped = read.type === 'ArrayBuffer' && typeText.startsWith(arrayTypes.Uint8ClampedArray)
    const type: ArrayName = clamped ? 'Uint8ClampedArray' : read.type
    const size = bytesOf({ type, length: read.length })
    const buffer = new SharedArrayBuffer(size)
    new Uint8Array(buffer).set(read.bytes.subarray(0, size))
    this.#lastBuffer += 1
    const id = this.#lastBuffer
    this.#buffers.set(id, { id, buffer, owner: undefined, knownTo: new Set(), uses: 1 })
    return this.#add({ wire: { $: 'array', id, type, offset: 0, length: read.length }, size })
  }

  /** A thread is gone: its buffers are nobody's, and what is in them stays. */
  ownerGone(owner: BufferHolder): void {
    for (const shared of this.#buffers.values()) {
      shared.knownTo.delete(owner)
      if (shared.owner !== owner) continue
      shared.owner = undefined
      if (shared.uses === 0) this.#drop(shared)
    }
  }

  #add(held: Held): number {
    this.#lastHandle += 1
    this.#arrays.set(this.#lastHandle, held)
    this.bytes += held.size
    return this.#lastHandle
  }

  #drop({ id, knownTo }: Shared): void {
    this.#buffers.delete(id)
    for (const thread of knownTo) thread.forget([id])
  }
}

/** Python's handles are below: numbers of workers in the upper bits of 52. */
const firstHandle = 2 ** 52
