import { HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { eachRef, mapRefs } from '../../model/value-refs.ts'
import type { Executor } from '../../ports/executor.ts'

/** Arguments with all that one executor holds, and what is transferred of it for one attempt. */
export type Transferred =
  | { readonly args: Value; readonly handles: readonly number[] }
  /** of what another executor no longer holds */
  | { readonly gone: readonly number[] }

/**
 * Arrays that one executor holds, as arguments of tasks of another: it gets a copy, which is its own until the attempt
 * has ended.
 */
export class HeldTransfers {
  readonly #executors: readonly Executor[]

  constructor(executors: readonly Executor[]) {
    this.#executors = executors
  }

  /** Who holds it, where that is not the executor, which could hold a copy. */
  sourceOf(ref: HeldRef, executor: Executor): Executor | undefined {
    if (ref.holder === executor.name || executor.restore === undefined) return undefined
    const source = this.#executors.find(({ name }) => name === ref.holder)
    return source === executor ? undefined : source
  }

  /** @throws ALM_VALUE_REFUSED for what the executor has no form for */
  async transfer(args: Value, executor: Executor): Promise<Transferred> {
    const sources = new Map<HeldRef, Executor>()
    eachRef(args, (ref) => {
      const source = ref instanceof HeldRef ? this.sourceOf(ref, executor) : undefined
      if (source !== undefined) sources.set(ref as HeldRef, source)
    })
    if (sources.size === 0) return { args, handles: [] }
    const copies = new Map<HeldRef, HeldRef>()
    const handles: number[] = []
    const gone: number[] = []
    try {
      for (const [ref, source] of sources) {
        const bytes = await source.persist?.(ref.handle)
        const copy = bytes && (await executor.restore?.(bytes, ref))
        if (copy === undefined) {
          gone.push(ref.handle)
          continue
        }
        copies.set(ref, copy)
        handles.push(copy.handle)
      }
    } catch (error) {
      executor.release?.(handles)
      throw error
    }
    if (gone.length > 0) {
      executor.release?.(handles)
      return { gone }
    }
    return {
      args: mapRefs(args, (ref) => (ref instanceof HeldRef ? (copies.get(ref) ?? ref) : ref)),
      handles,
    }
  }
}
