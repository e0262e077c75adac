import { describe, expect, it } from 'vitest'
import { HeldRef } from '../../model/refs.ts'
import type { Executor } from '../../ports/executor.ts'
import { HeldTransfers } from './held-transfers.ts'

/** An executor that holds texts by handle. */
class Holding implements Executor {
  readonly name: string
  readonly afterCommit = false
  readonly held = new Map<number, string>()
  #last: number

  constructor(name: string, first: number) {
    this.name = name
    this.#last = first
  }

  ref(text: string): HeldRef {
    this.#last += 1
    this.held.set(this.#last, text)
    return new HeldRef('key', [], 'text', text.length, this.name, this.#last)
  }

  accepts(): boolean {
    return true
  }

  submit(): void {
    throw new Error('nothing is submitted here')
  }

  cancel(): void {
    throw new Error('nothing is cancelled here')
  }

  release(handles: readonly number[]): void {
    for (const handle of handles) this.held.delete(handle)
  }

  async persist(handle: number): Promise<Uint8Array | undefined> {
    const text = this.held.get(handle)
    return text === undefined ? undefined : Buffer.from(text)
  }

  async restore(bytes: Uint8Array): Promise<HeldRef> {
    const text = Buffer.from(bytes).toString()
    if (text === 'no form') throw new Error('it has no form here')
    return this.ref(text)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

const setUp = () => {
  const a = new Holding('a', 0)
  const b = new Holding('b', 100)
  return { a, b, transfers: new HeldTransfers([a, b]) }
}

describe('what one executor holds', () => {
  it('is given to tasks of another as a copy, for one attempt', async () => {
    const { a, b, transfers } = setUp()
    const own = b.ref('own')
    const transferred = await transfers.transfer(
      { args: [a.ref('one'), { more: [own, a.ref('two')] }, 3] },
      b,
    )
    const [one, two] = [102, 103].map((handle) => new HeldRef('key', [], 'text', 3, 'b', handle))
    expect(transferred).toEqual({ args: { args: [one, { more: [own, two] }, 3] }, handles: [102, 103] })
    expect([...b.held.values()]).toEqual(['own', 'one', 'two'])
  })

  it('stays where it is for its own tasks, and for those that hold nothing', async () => {
    const { a, transfers } = setUp()
    const ref = a.ref('one')
    const inline: Executor = {
      name: 'inline',
      afterCommit: false,
      accepts: () => true,
      submit: () => undefined,
      cancel: () => undefined,
      close: () => Promise.resolve(),
    }
    expect([transfers.sourceOf(ref, a), transfers.sourceOf(ref, inline)]).toEqual([undefined, undefined])
    expect(await transfers.transfer([ref], a)).toEqual({ args: [ref], handles: [] })
  })

  it('is said to be gone where it is, and nothing is kept of the others', async () => {
    const { a, b, transfers } = setUp()
    const [one, two] = [a.ref('one'), a.ref('two')]
    a.release([two.handle])
    expect(await transfers.transfer([one, two], b)).toEqual({ gone: [two.handle] })
    expect(b.held.size).toBe(0)
  })

  it('that has no form elsewhere leaves nothing there', async () => {
    const { a, b, transfers } = setUp()
    await expect(transfers.transfer([a.ref('one'), a.ref('no form')], b)).rejects.toThrow(
      'it has no form here',
    )
    expect(b.held.size).toBe(0)
  })
})
