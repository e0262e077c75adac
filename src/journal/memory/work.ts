import type { WorkClaims } from '../../ports/journal.ts'
import type { MemoryStore } from './store.ts'

/** `holder` is the journal that claims, as a process does. */
export const memoryWork = (store: MemoryStore, holder: { readonly isClosed: boolean }): WorkClaims => ({
  async take(wanted) {
    // a process that ended takes nothing, and hears of nothing
    if (holder.isClosed) return new Promise<never>(() => undefined)
    const refused = wanted.flatMap(({ fingerprint }) => {
      const other = store.work.get(fingerprint)
      return other === undefined || other.holder === holder
        ? []
        : [{ fingerprint, run: other.run, call: other.call }]
    })
    const taken = new Set(refused.map(({ fingerprint }) => fingerprint))
    for (const { fingerprint, run, call } of wanted)
      if (!taken.has(fingerprint)) store.work.set(fingerprint, { fingerprint, run, call, holder })
    return refused
  },
  async release(fingerprints) {
    for (const fingerprint of fingerprints)
      if (store.work.get(fingerprint)?.holder === holder) store.work.delete(fingerprint)
  },
  async others() {
    return [...store.work.values()]
      .filter((one) => one.holder !== holder)
      .map(({ fingerprint, run, call }) => ({ fingerprint, run, call }))
  },
})

export function releaseWork(store: MemoryStore, holder: object): void {
  for (const [fingerprint, one] of store.work) if (one.holder === holder) store.work.delete(fingerprint)
}
