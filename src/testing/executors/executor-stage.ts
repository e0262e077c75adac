import { afterEach, beforeEach, expect } from 'vitest'
import { ExecutorBench } from './executor-bench.ts'
import type { ExecutorRig } from './executor-rig.ts'

/** A test's executor, opened before it and closed after it, with X1 and X2 checked over all that was heard. */
export interface ExecutorStage {
  readonly bench: ExecutorBench
  reopen(limits: { readonly logBytes?: number; readonly notes?: number }): Promise<void>
}

/** Registers what happens before and after each test. */
export function openStage(rig: ExecutorRig): ExecutorStage {
  let bench: ExecutorBench | undefined
  const close = async (): Promise<void> => {
    await bench?.close()
    expect(bench?.survivors).toEqual([])
    bench = undefined
  }
  beforeEach(async () => {
    bench = await ExecutorBench.open(rig)
  })
  afterEach(close)
  return {
    get bench() {
      if (bench === undefined) throw new Error('no test is running')
      return bench
    },
    reopen: async (limits) => {
      await close()
      bench = await ExecutorBench.open(rig, limits)
    },
  }
}
