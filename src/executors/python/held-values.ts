import { Heap } from '../../util/heap.ts'
import type { ArrayBudget } from '../array-budget.ts'
import type { SharedFile } from '../jobs/shared-file.ts'
import { heapGrowth } from './heap-growth.ts'
import type { SharedFiles } from './shared-files.ts'
import type { HeldPlace } from './wire.ts'

/** What a table of held values knows of a worker. */
export interface Holder {
  readonly id: number
  export(handle: number, file: SharedFile): void
  free(handles: readonly number[]): void
}

interface Held {
  readonly handle: number
  readonly size: number
  /** lower is sooner */
  readonly neededAt: number
  /** it is in the queue of what may be written to disk */
  queued: boolean
  /** the worker in whose memory it is */
  holder?: Holder
  /** a copy in a shared file */
  place?: HeldPlace
  /** asked of its holder and not there yet: the file it goes to, and who wants to know */
  moving?: {
    readonly file: SharedFile
    readonly waiting: ((why?: string) => void)[]
    readonly spills: boolean
  }
}

/** Who uses a shared file: who writes it, attempts that were sent with it, and mappings that live on in workers. */
interface Use {
  readonly file: SharedFile
  readonly by: Map<number, number>
  released: boolean
}

/**
 * Values that live in workers' memory, and the shared files through which they move. Owns which worker holds what.
 *
 * H1 a value is lost when its holder died and no shared file has it
 * H2 a file is written again only when no attempt and no mapping uses it
 * H3 when a value is added and executors hold more than the limit, what is needed last and no attempt waits for is written
 *    to disk and let go of; it is used from there as from any shared file. Not when an attempt has ended that waited for
 *    it: what nobody needs any more is let go of a moment later
 */
export class HeldValues {
  readonly #files: SharedFiles
  readonly #values = new Map<number, Held>()
  readonly #uses = new Map<string, Use>()
  readonly #bytes = new Map<number, number>()
  readonly #budget: ArrayBudget
  /** hears that there may be room again */
  readonly #roomMade: () => void
  /** attempts that were given a value and have not ended */
  readonly #wanted = new Map<number, number>()
  #inMemory = 0
  /** what may be written to disk, and some that no longer may: what nobody is known to need first, then the last needed */
  #spillable = new Heap<Held>(isSpilledBefore)
  /** of values that could not be written to disk: not tried again */
  readonly #stuck = new Set<number>()
  /** ends what memory that arrays need asks of this process's own heap */
  #loosen: (() => void) | undefined

  constructor(files: SharedFiles, budget: ArrayBudget, roomMade: () => void) {
    this.#files = files
    this.#budget = budget
    this.#roomMade = roomMade
  }

  add(handle: number, size: number, holder: Holder, neededAt = Number.POSITIVE_INFINITY): void {
    const value: Held = { handle, size, holder, neededAt, queued: false }
    this.#values.set(handle, value)
    this.#count(holder, size)
    this.#queue(value)
    this.#spill()
  }

  #queue(value: Held): void {
    if (value.queued) return
    value.queued = true
    this.#spillable.push(value)
    if (this.#spillable.size < 2 * this.#values.size + 1000) return
    // most of what is in it is gone
    const queue = new Heap<Held>(isSpilledBefore)
    for (const one of this.#values.values()) if (one.queued) queue.push(one)
    this.#spillable = queue
  }

  /** So many more attempts (or fewer) need these values. */
  want(handles: readonly number[], change: 1 | -1): void {
    for (const handle of handles) {
      const count = (this.#wanted.get(handle) ?? 0) + change
      if (count > 0) this.#wanted.set(handle, count)
      else this.#unwanted(handle)
    }
  }

  #unwanted(handle: number): void {
    this.#wanted.delete(handle)
    const value = this.#values.get(handle)
    if (value?.holder !== undefined) this.#queue(value)
  }

  /** A value that is in a file only. */
  addFile(handle: number, size: number, place: HeldPlace): void {
    this.#values.set(handle, { handle, size, place, neededAt: 0, queued: false })
    this.#uses.set(place.file.name, { file: place.file, by: new Map(), released: false })
  }

  /** There is too little memory for more. */
  get isFull(): boolean {
    return this.#budget.isFull
  }

  /** Is so much held, with what is `expected`, that what frees memory should go first? `usual`: what work takes anyway. */
  isMuch(expected: number, usual: number): boolean {
    return this.#inMemory + expected > Math.min(Math.max(usual, littleBytes), this.#budget.limit / 2)
  }

  bytesIn(holder: Holder): number {
    return this.#bytes.get(holder.id) ?? 0
  }

  holderOf(handle: number): Holder | undefined {
    return this.#values.get(handle)?.holder
  }

  sizeOf(handle: number): number {
    return this.#values.get(handle)?.size ?? 0
  }

  gone(handles: readonly number[]): number[] {
    return handles.filter((handle) => !this.#values.has(handle))
  }

  placeOf(handle: number): HeldPlace | undefined {
    return this.#values.get(handle)?.place
  }

  /** Has a copy made in a shared file. `then` is called once: there is one, it is gone, or why it cannot be made. */
  fetch(handle: number, then: (why?: string) => void): void {
    const value = this.#values.get(handle)
    if (value === undefined || value.place !== undefined || value.holder === undefined) {
      then()
      return
    }
    if (value.moving !== undefined) {
      value.moving.waiting.push(then)
      return
    }
    this.#export(value, value.holder, this.#files.take(value.size + headBytes), [then], false)
  }

  #export(
    value: Held,
    holder: Holder,
    file: SharedFile,
    waiting: ((why?: string) => void)[],
    spills: boolean,
  ): void {
    value.moving = { file, waiting, spills }
    if (spills) this.#budget.leave(value.size)
    this.#uses.set(file.name, { file, by: new Map([[holder.id, 1]]), released: false })
    holder.export(value.handle, file)
  }

  /** Has values written to disk, until what stays is within the limit. */
  #spill(): void {
    while (this.#budget.isOver) {
      const value = this.#spillable.pop()
      if (value === undefined) return
      value.queued = false
      const { handle, holder, moving } = value
      if (this.#values.get(handle) !== value || holder === undefined || moving !== undefined) continue
      // it comes back to the queue when nobody wants it any more
      if (this.#wanted.has(handle) || this.#stuck.has(handle)) continue
      if (value.place === undefined) this.#export(value, holder, this.#files.takeOnDisk(), [], true)
      else this.#letGo(value, holder)
    }
  }

  /** The holder need not keep what a file has. */
  #letGo(value: Held, holder: Holder): void {
    if (this.#wanted.has(value.handle)) return
    delete value.holder
    this.#count(holder, -value.size)
    holder.free([value.handle])
    this.#roomMade()
  }

  /** A worker's answer: where it wrote, or why it could not. */
  exported(
    handle: number,
    segment: string,
    written: { path: string; spans: HeldPlace['spans'] } | string,
  ): void {
    const value = this.#values.get(handle)
    const use = this.#uses.get(segment)
    if (use === undefined) return
    const spilled = value?.moving?.spills === true
    if (value === undefined || typeof written === 'string') {
      this.#dispose(use)
      if (value === undefined) return
      if (spilled) this.#stuck.add(handle)
      this.#wake(value, String(written))
      return
    }
    value.place = { file: use.file, form: 'pickle', ...written }
    if (value.holder !== undefined) this.use(segment, value.holder.id, -1)
    this.#wake(value)
    if (spilled && value.holder !== undefined) this.#letGo(value, value.holder)
  }

  /** An attempt in a worker uses a file, or no longer does; so for a mapping. */
  use(segment: string, holder: number, change: 1 | -1): void {
    const use = this.#uses.get(segment)
    if (use === undefined) return
    const count = (use.by.get(holder) ?? 0) + change
    if (count === 0) use.by.delete(holder)
    else use.by.set(holder, count)
    if (use.released && use.by.size === 0) this.#dispose(use)
  }

  /** Nobody needs them any more. */
  release(handles: readonly number[]): void {
    const freed = new Map<Holder, number[]>()
    for (const handle of handles) {
      const value = this.#values.get(handle)
      if (value === undefined) continue
      this.#values.delete(handle)
      this.#stuck.delete(handle)
      if (value.holder !== undefined) {
        this.#count(value.holder, -value.size)
        const list = freed.get(value.holder)
        if (list === undefined) freed.set(value.holder, [handle])
        else list.push(handle)
      }
      this.#releaseFile(value)
      this.#wake(value)
    }
    for (const [holder, list] of freed) holder.free(list)
  }

  /** A worker died; returns the values that died with it. */
  holderGone(holder: Holder): number[] {
    this.#count(holder, -this.bytesIn(holder))
    this.#bytes.delete(holder.id)
    const lost: Held[] = []
    for (const value of this.#values.values()) {
      if (value.holder !== holder) continue
      delete value.holder
      if (value.place === undefined) lost.push(value)
    }
    for (const use of [...this.#uses.values()]) {
      use.by.delete(holder.id)
      if (use.released && use.by.size === 0) this.#dispose(use)
    }
    for (const value of lost) {
      this.#values.delete(value.handle)
      const use = this.#uses.get(value.moving?.file.name ?? '')
      if (use !== undefined) this.#dispose(use)
    }
    // after all are gone: whoever is told lets go of others, which may be lost too
    for (const value of lost) this.#wake(value)
    return lost.map(({ handle }) => handle)
  }

  #releaseFile(value: Held): void {
    const use = this.#uses.get((value.place ?? value.moving)?.file.name ?? '')
    if (use === undefined) return
    use.released = true
    if (use.by.size === 0) this.#dispose(use)
  }

  #dispose(use: Use): void {
    this.#uses.delete(use.file.name)
    this.#files.give(use.file)
  }

  #wake(value: Held, why?: string): void {
    const moving = value.moving
    delete value.moving
    if (moving?.spills === true) this.#budget.leave(-value.size)
    if (value.holder !== undefined) this.#queue(value)
    for (const then of moving?.waiting ?? []) then(why)
  }

  #count(holder: Holder, change: number): void {
    this.#inMemory += change
    this.#budget.hold(change)
    this.#bytes.set(holder.id, (this.#bytes.get(holder.id) ?? 0) + change)
    this.#weigh()
  }

  #weigh(): void {
    if (this.#inMemory > littleBytes) this.#loosen ??= heapGrowth.keep()
    else if (this.#inMemory === 0) {
      this.#loosen?.()
      this.#loosen = undefined
    }
  }
}

/** so much does no harm */
const littleBytes = 128 * 2 ** 20

/** room for the pickle around the buffers */
const headBytes = 64 * 1024

const isSpilledBefore = (a: Held, b: Held): boolean =>
  a.neededAt === b.neededAt ? a.handle < b.handle : a.neededAt > b.neededAt
