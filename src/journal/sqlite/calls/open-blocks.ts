/** From so many blocks at most take calls that follow each other, as a rule. */
const mostOpen = 16

/** What is asked of a call by others that take its result. */
export interface ReferredCall {
  /** number of its name */
  readonly name: number
  /** of what is no task of its own, and only hands on what it takes */
  readonly argsWire: string | undefined
}

/**
 * Calls of a run that others refer to, and that stay in their blocks. To open a block takes milliseconds: those that
 * were used last stay open.
 */
export class OpenBlocks {
  readonly #around: (call: number) => readonly number[]
  readonly #read: (block: number) => ReadonlyMap<number, ReferredCall>
  readonly #open = new Map<number, ReadonlyMap<number, ReferredCall>>()

  /** `around`: blocks that may have a call; `read`: the calls of a block */
  constructor(
    around: (call: number) => readonly number[],
    read: (block: number) => ReadonlyMap<number, ReferredCall>,
  ) {
    this.#around = around
    this.#read = read
  }

  find(call: number): ReferredCall | undefined {
    for (const block of this.#around(call)) {
      const found = this.#calls(block).get(call)
      if (found !== undefined) return found
    }
    return undefined
  }

  #calls(block: number): ReadonlyMap<number, ReferredCall> {
    const calls = this.#open.get(block) ?? this.#read(block)
    this.#open.delete(block)
    this.#open.set(block, calls)
    const [oldest] = this.#open.keys()
    if (this.#open.size > mostOpen && oldest !== undefined) this.#open.delete(oldest)
    return calls
  }
}
