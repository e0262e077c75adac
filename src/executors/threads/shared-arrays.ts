import type { Path } from '../../model/path.ts'
import { HeldRef } from '../../model/refs.ts'
import { Heap } from '../../util/heap.ts'
import { ArrayBudget } from '../array-budget.ts'
import { fromNpy, toNpy } from './npy.ts'
import { type Extent, SpillFile } from './spill-file.ts'
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
  readonly handle: number
  /** where it lies, if it is in memory */
  wire: ArrayWire
  readonly size: number
  /** how soon it is needed: lower is sooner */
  readonly neededAt: number
  /** it is among those that may go to disk */
  queued: boolean
  /** where it lies on disk, if it is there only */
  extent?: Extent
  /** on its way to the disk, or back: who waits for it */
  moving?: ((problem?: string) => void)[]
}

/**
 * Arrays that live in this process, in memory that its threads share. Owns which array lies where, and who uses it.
 *
 * S1 a buffer is its owner's again when no array in it is held and no attempt uses one; without an owner it is gone
 * S2 the death of a thread loses no array
 * S3 handles are never those of another executor
 * S4 while executors hold more than the limit, those that are needed last and no attempt waits for go to disk; they come
 *    back before an attempt is given them
 */
export class SharedArrays {
  readonly #holder: string
  readonly #budget: ArrayBudget
  readonly #spill: SpillFile
  readonly #arrays = new Map<number, Held>()
  readonly #buffers = new Map<number, Shared>()
  /** attempts that were given an array and have not ended */
  readonly #wanted = new Map<number, number>()
  #lastHandle = firstHandle
  #lastBuffer = 0
  /** bytes of arrays that are held in memory */
  bytes = 0
  /** the disk takes no more: nothing is tried again until something has come back */
  #isStuck = false
  #spillable = new Heap<Held>(isSpilledBefore)
  /** hears that there may be room again */
  roomMade: () => void = () => undefined

  constructor(
    holder: string,
    budget = new ArrayBudget(Number.POSITIVE_INFINITY),
    spill: SpillFile = new SpillFile(),
  ) {
    this.#holder = holder
    this.#budget = budget
    this.#spill = spill
  }

  /** There is too little memory for more. */
  get isFull(): boolean {
    return this.#budget.isFull
  }

  close(): Promise<void> {
    return this.#spill.close()
  }

  /** Handles of what is on disk, or on its way there or back. */
  away(handles: readonly number[]): number[] {
    return handles.filter((handle) => {
      const held = this.#arrays.get(handle)
      return held?.extent !== undefined || held?.moving !== undefined
    })
  }

  /** Brings one into memory. `then` is called once: it is there, or gone, or why it cannot be. */
  fetch(handle: number, then: (problem?: string) => void): void {
    const held = this.#arrays.get(handle)
    if (held?.moving !== undefined) held.moving.push(() => this.fetch(handle, then))
    else if (held?.extent !== undefined) void this.#read(handle, held, held.extent, then)
    else then()
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
  hold(wire: ArrayWire, key: string, path: Path, neededAt = Number.POSITIVE_INFINITY): HeldRef | undefined {
    const shared = this.#buffers.get(wire.id)
    const size = bytesOf(wire)
    if (shared === undefined || wire.offset + size > shared.buffer.byteLength) return undefined
    shared.uses += 1
    const handle = this.#add(wire, size, neededAt)
    return new HeldRef(key, path, `${arrayTypes[wire.type]}[${wire.length}]`, size, this.#holder, handle)
  }

  async #read(handle: number, held: Held, extent: Extent, then: (problem?: string) => void): Promise<void> {
    const waiting = [then]
    held.moving = waiting
    const buffer = new SharedArrayBuffer(held.size)
    let problem: string | undefined
    try {
      await this.#spill.read(extent, new Uint8Array(buffer))
    } catch (error) {
      problem = (error as Error).message
    }
    delete held.moving
    const isHeld = this.#arrays.get(handle) === held
    if (problem === undefined || !isHeld) this.#spill.give(extent)
    if (problem === undefined && isHeld) {
      delete held.extent
      this.#isStuck = false
      held.wire = { ...held.wire, id: this.#own(buffer), offset: 0 }
      this.#count(held.size)
      this.#queue(held)
    }
    for (const one of waiting) one(problem)
    this.#makeRoom()
  }

  /** Writes arrays out, until what stays is within the limit. */
  #makeRoom(): void {
    if (this.#isStuck || !this.#budget.isOver) return
    for (let held = this.#spillable.pop(); held !== undefined; held = this.#spillable.pop()) {
      const { handle } = held
      held.queued = false
      const isHere = this.#arrays.get(handle) === held && held.extent === undefined
      // it comes back to the queue when nobody wants it any more; what others use too would not be free
      if (!isHere || held.moving !== undefined || this.#wanted.has(handle)) continue
      if (this.#buffers.get(held.wire.id)?.uses !== 1) continue
      void this.#write(handle, held)
      if (!this.#budget.isOver) return
    }
  }

  #queue(held: Held): void {
    if (held.queued) return
    held.queued = true
    this.#spillable.push(held)
    if (this.#spillable.size < 2 * this.#arrays.size + 1000) return
    // most of what is in it is gone
    this.#spillable = new Heap<Held>(isSpilledBefore)
    for (const one of this.#arrays.values()) if (one.queued) this.#spillable.push(one)
  }

  async #write(handle: number, held: Held): Promise<void> {
    const waiting: ((problem?: string) => void)[] = []
    held.moving = waiting
    this.#budget.leave(held.size)
    const { id, offset } = held.wire
    const shared = this.#buffers.get(id) as Shared
    shared.uses += 1
    let extent: Extent | undefined
    try {
      extent = await this.#spill.write(new Uint8Array(shared.buffer, offset, held.size))
    } catch {
      // it stays where it is
      this.#isStuck = true
    }
    this.#budget.leave(-held.size)
    delete held.moving
    this.unuse(id)
    const isHeld = this.#arrays.get(handle) === held
    if (extent !== undefined && isHeld && waiting.length === 0 && !this.#wanted.has(handle)) {
      held.extent = extent
      this.#count(-held.size)
      this.unuse(id)
      this.roomMade()
    } else if (extent !== undefined) this.#spill.give(extent)
    for (const one of waiting) one()
  }

  #count(change: number): void {
    this.bytes += change
    this.#budget.hold(change)
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
    if (held === undefined || held.extent !== undefined || shared === undefined) return undefined
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
      else {
        this.#wanted.delete(handle)
        const held = this.#arrays.get(handle)
        if (held !== undefined && held.extent === undefined) this.#queue(held)
      }
    }
  }

  release(handles: readonly number[]): void {
    for (const handle of handles) {
      const held = this.#arrays.get(handle)
      if (held === undefined) continue
      this.#arrays.delete(handle)
      if (held.extent === undefined) {
        this.#count(-held.size)
        this.unuse(held.wire.id)
      } else if (held.moving === undefined) this.#spill.give(held.extent)
    }
  }

  /** The bytes of a held array, as a file of it. */
  async file(handle: number): Promise<Uint8Array | undefined> {
    this.want([handle], 1)
    try {
      await new Promise<void>((resolve) => this.fetch(handle, () => resolve()))
      return this.#file(handle)
    } finally {
      this.want([handle], -1)
    }
  }

  #file(handle: number): Uint8Array | undefined {
    const held = this.#arrays.get(handle)
    const shared = held && this.#buffers.get(held.wire.id)
    if (held === undefined || held.extent !== undefined || shared === undefined) return undefined
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
    const id = this.#own(buffer)
    return this.#add({ $: 'array', id, type, offset: 0, length: read.length }, size, 0)
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

  #add(wire: ArrayWire, size: number, neededAt: number): number {
    this.#lastHandle += 1
    const held = { handle: this.#lastHandle, wire, size, neededAt, queued: false }
    this.#arrays.set(this.#lastHandle, held)
    this.#count(size)
    this.#queue(held)
    this.#makeRoom()
    return this.#lastHandle
  }

  /** A buffer of the host's, in which one array is held. */
  #own(buffer: SharedArrayBuffer): number {
    this.#lastBuffer += 1
    const id = this.#lastBuffer
    this.#buffers.set(id, { id, buffer, owner: undefined, knownTo: new Set(), uses: 1 })
    return id
  }

  #drop({ id, knownTo }: Shared): void {
    this.#buffers.delete(id)
    for (const thread of knownTo) thread.forget([id])
  }
}

/** What is needed last goes first, and of two that are the same the older one. */
const isSpilledBefore = (a: Held, b: Held): boolean =>
  a.neededAt === b.neededAt ? a.handle < b.handle : a.neededAt > b.neededAt

/** Python's handles are below: numbers of workers in the upper bits of 52. */
const firstHandle = 2 ** 52
