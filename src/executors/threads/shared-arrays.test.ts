import { describe, expect, it } from 'vitest'
import { HeldRef } from '../../model/refs.ts'
import { ArrayBudget } from '../array-budget.ts'
import { type BufferHolder, SharedArrays } from './shared-arrays.ts'
import { SpillFile } from './spill-file.ts'
import { ThreadMemory } from './thread-memory.ts'

/** A thread's end without a thread: it does at once what it is told. */
class Holder implements BufferHolder {
  readonly memory: ThreadMemory
  readonly freed: number[] = []
  readonly forgotten: number[] = []
  readonly #arrays: SharedArrays

  constructor(arrays: SharedArrays, number: number, keeps = 1e6) {
    this.#arrays = arrays
    this.memory = new ThreadMemory(number, keeps)
  }

  free(ids: readonly number[]): void {
    this.freed.push(...ids)
    const dropped = this.memory.free(ids)
    this.#arrays.dropped(dropped, this)
  }

  forget(ids: readonly number[]): void {
    this.forgotten.push(...ids)
    this.memory.forget(ids)
  }

  /** An array as a result of a call. */
  give(value: object, path: readonly string[] = [], neededAt?: number): HeldRef {
    const wire = this.memory.wire(value, [], (id, buffer) => this.#arrays.learn(id, buffer, this))
    const ref = wire && this.#arrays.hold(wire, 'key', path, neededAt)
    if (ref === undefined) throw new Error('it is no array')
    return ref
  }

  /** What a call is given for it, and the buffer to let go of. */
  take(ref: HeldRef): { readonly array: unknown; readonly id: number } {
    const used = this.#arrays.use(ref.handle, this)
    if (used === undefined) throw new Error('it is gone')
    if (used.buffer !== undefined) this.memory.learn(used.wire.id, used.buffer)
    return { array: this.memory.array(used.wire), id: used.wire.id }
  }
}

const setUp = (keeps?: number) => {
  const arrays = new SharedArrays('threads')
  return { arrays, a: new Holder(arrays, 1, keeps), b: new Holder(arrays, 2, keeps) }
}

describe('arrays in shared memory', () => {
  it('are seen by all threads as one', () => {
    const { arrays, a, b } = setUp()
    const ref = a.give(new Float64Array([1, 2, 3]), ['sum'])
    expect(ref).toEqual(new HeldRef('key', ['sum'], 'float64[3]', 24, 'threads', ref.handle))
    const there = b.take(ref).array as Float64Array
    expect(there).toEqual(new Float64Array([1, 2, 3]))
    ;(a.take(ref).array as Float64Array)[0] = 7
    expect(there[0]).toBe(7)
    expect(arrays.bytes).toBe(24)
  })

  it('have their memory used again when nobody holds or uses them', () => {
    const { arrays, a, b } = setUp()
    const ref = a.give(new Float64Array(1000))
    const { id } = b.take(ref)
    arrays.release([ref.handle])
    expect([a.freed, arrays.has(ref.handle), arrays.bytes]).toEqual([[], false, 0])
    arrays.unuse(id)
    expect(a.freed).toEqual([id])
    expect(a.take(a.give(new Float64Array(990))).id).toBe(id)
  })

  it('share the memory of one another: a part, and what was given back as it came', () => {
    const { arrays, a, b } = setUp()
    const ref = a.give(new Float64Array(100_000).fill(1))
    const { array, id } = b.take(ref)
    const again = b.give(array as Float64Array)
    const part = b.give((array as Float64Array).subarray(0, 60_000))
    const small = b.give((array as Float64Array).subarray(0, 10))
    expect([again, part].map((one) => a.take(one).id)).toEqual([id, id])
    expect(a.take(small).id).not.toBe(id)
    arrays.release([ref.handle, again.handle])
    for (let i = 0; i < 3; i++) arrays.unuse(id)
    expect(a.freed).toEqual([])
    arrays.release([part.handle])
    expect(a.freed).toEqual([id])
  })

  it('stay when the thread that made them is gone, and are forgotten by others at their last use', () => {
    const { arrays, a, b } = setUp()
    const ref = a.give(new Int32Array([1, 2]))
    const free = a.give(new Int32Array([3]))
    arrays.release([free.handle])
    arrays.ownerGone(a)
    const { array, id } = b.take(ref)
    expect(array).toEqual(new Int32Array([1, 2]))
    arrays.unuse(id)
    arrays.release([ref.handle])
    expect([b.forgotten, a.freed.includes(id)]).toEqual([[id], false])
  })

  it('are gone with memory that its thread does not keep', () => {
    const { arrays, a, b } = setUp(1000)
    const ref = a.give(new Float64Array(1000))
    const { id } = b.take(ref)
    arrays.unuse(id)
    arrays.release([ref.handle])
    expect(b.forgotten).toEqual([id])
    expect(a.take(a.give(new Float64Array(1000))).id).not.toBe(id)
  })

  it('over the limit lie on disk, and come back before they are used', async () => {
    const arrays = new SharedArrays('threads', new ArrayBudget(20_000))
    const a = new Holder(arrays, 1)
    const refs = [1, 2, 3, 4].map((n) => a.give(new Float64Array(1000).fill(n)))
    const handles = refs.map(({ handle }) => handle)
    arrays.want(handles.slice(3), 1)
    await expect.poll(() => arrays.bytes, { interval: 1 }).toBe(16_000)
    expect(arrays.away(handles)).toEqual(handles.slice(0, 2))
    const fetched = (handle: number): Promise<string | undefined> =>
      new Promise((resolve) => {
        arrays.fetch(handle, resolve)
      })
    arrays.want(handles, 1)
    expect(await Promise.all(handles.map(fetched))).toEqual([undefined, undefined, undefined, undefined])
    expect(refs.map((ref) => (a.take(ref).array as Float64Array)[999])).toEqual([1, 2, 3, 4])
    arrays.release(handles)
    expect(arrays.bytes).toBe(0)
    await arrays.close()
  })

  it('that are needed last go to disk first, and make room', async () => {
    const arrays = new SharedArrays('threads', new ArrayBudget(10_000))
    let rooms = 0
    arrays.roomMade = () => {
      rooms += 1
    }
    const a = new Holder(arrays, 1)
    const handles = [5, 9, 7].map((at) => a.give(new Float64Array(1000), [], at).handle)
    expect([arrays.bytes, arrays.isFull]).toEqual([24_000, true])
    await expect.poll(() => arrays.bytes, { interval: 1 }).toBe(8000)
    expect(arrays.away(handles)).toEqual([handles[1], handles[2]])
    expect([rooms, arrays.isFull]).toEqual([2, false])
    await arrays.close()
  })

  it('stay in memory where the disk takes nothing', async () => {
    const arrays = new SharedArrays('threads', new ArrayBudget(1000), new SpillFile('/no/such/directory'))
    const a = new Holder(arrays, 1)
    const ref = a.give(new Float64Array(1000))
    await expect.poll(() => arrays.away([ref.handle]), { interval: 1 }).toEqual([])
    expect([arrays.bytes, (a.take(ref).array as Float64Array).length]).toEqual([8000, 1000])
    await arrays.close()
  })

  it('are written and read again as what they were', async () => {
    const { arrays, a, b } = setUp()
    for (const value of [
      new Float32Array([1.5]),
      new Float16Array([1.5]),
      new Uint8ClampedArray([1, 2]),
      new Uint8Array([3]).buffer,
    ]) {
      const ref = a.give(value)
      const handle = arrays.fromFile((await arrays.file(ref.handle)) as Uint8Array, ref.type)
      const again = new HeldRef('key', [], ref.type, ref.size, 'threads', Number(handle))
      expect(b.take(again).array).toEqual(value)
    }
    expect(arrays.fromFile(new Uint8Array(10), 'float64[1]')).toBe('it is no array of numbers')
    expect(await arrays.file(5)).toBeUndefined()
  })

  it('that nobody told of, or reach beyond their buffer, are not held', () => {
    const { arrays, a } = setUp()
    const wire = { $: 'array', id: 99, type: 'Float64Array', offset: 0, length: 1 } as const
    expect(arrays.hold(wire, 'key', [])).toBeUndefined()
    const { id } = a.take(a.give(new Float64Array(1)))
    expect(arrays.hold({ ...wire, id, length: 1000 }, 'key', [])).toBeUndefined()
  })
})
