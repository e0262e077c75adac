import { HeldRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { Executor } from '../../ports/executor.ts'
import type { RunContext } from '../run-context.ts'

/**
 * Lets go of results in workers' memory that no known call needs. A call that is made later may need one after all: it
 * is then made again, so the last few are spared for a while.
 *
 * L1 what is let go of is `lost` to the machine before its executor is told.
 * L2 what is gone is not let go of: its handle may be another's.
 * L3 what is spared is bounded in bytes and number.
 * L4 of a call whose results were let go of stays what they are made again by.
 */
export class HeldRelease {
  readonly #run: RunContext
  readonly #executorFor: (task: TaskSpec) => Executor | undefined
  #spared: { readonly call: number; readonly bytes: number }[] = []
  #first = 0
  #bytes = 0

  constructor(run: RunContext, executorFor: (task: TaskSpec) => Executor | undefined) {
    this.#run = run
    this.#executorFor = executorFor
  }

  /** No call needs what is held for this one. */
  spare(call: number): void {
    const bytes = this.#heldFor(call).reduce((sum, ref) => sum + ref.size, 0)
    this.#spared.push({ call, bytes })
    this.#bytes += bytes
    const { sparedCalls } = this.#run.settings
    while (this.#bytes > maxBytes || this.#spared.length - this.#first > sparedCalls) this.#dropFirst()
  }

  /** All that is held for the run. */
  releaseAll(): void {
    if (!this.#run.outcomes.areHeld) return
    const { graph } = this.#run.machine
    for (const info of this.#run.calls) {
      // handles of what is gone may stand for what another run holds
      if (graph.calls.find(info.id)?.lost === true) continue
      const refs = this.#heldFor(info.id)
      if (refs.length > 0) this.#release(info.id, refs)
    }
  }

  #dropFirst(): void {
    const first = this.#spared[this.#first]
    if (first === undefined) return
    this.#first++
    this.#bytes -= first.bytes
    if (this.#first > 1000 && this.#first * 2 > this.#spared.length) {
      this.#spared = this.#spared.slice(this.#first)
      this.#first = 0
    }
    const { machine, dispatch } = this.#run
    const call = machine.graph.call(first.call)
    // somebody has come to need it, or it was let go of and made again
    if (call.users > 0 || call.kept || call.lost || call.phase !== 'ended') return
    dispatch({ kind: 'gone', calls: [first.call] })
    this.#release(first.call, this.#heldFor(first.call))
    this.#shorten(first.call)
  }

  #shorten(call: number): void {
    const { calls, outcomes } = this.#run
    const info = calls.get(call)
    // it is computed anew when it begins again
    if (!info.cacheable) info.fingerprint = undefined
    if (info.heldKey !== undefined && calls.makersOf([info.heldKey])?.[0] === call)
      outcomes.letGo(call, info.heldKey)
  }

  #release(call: number, refs: readonly HeldRef[]): void {
    const { task } = this.#run.calls.request(call)
    if (task !== undefined) this.#executorFor(task)?.release?.(refs.map((ref) => ref.handle))
  }

  #heldFor(call: number): HeldRef[] {
    const refs: HeldRef[] = []
    eachRef(this.#run.outcomes.seen(call), (ref) => {
      if (ref instanceof HeldRef) refs.push(ref)
    })
    return refs
  }
}

const maxBytes = 64 * 2 ** 20
