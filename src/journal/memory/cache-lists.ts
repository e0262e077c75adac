import type { CacheChoice, CacheRecords, CacheSavings } from '../../ports/journal.ts'
import { dropThose } from './cache.ts'
import type { CacheEntry, MemoryStore } from './store.ts'
import { copyOf } from './store.ts'

/** The run cache as people read and clear it. */
export const memoryEntries = (store: MemoryStore): CacheRecords => ({
  async list({ name, prefix, before, limit }) {
    const found = store.cache.filter(
      (entry) => fits(entry, { name, prefix }) && (before === undefined || useOf(store, entry).seq < before),
    )
    return found
      .toReversed()
      .slice(0, limit)
      .map((entry) => {
        const { shownWire: _, ...rest } = copyOf(entry)
        return { ...rest, ...useOf(store, entry) }
      })
  },
  async savings() {
    const all = new Map<string, CacheSavings>()
    const add = (name: string, more: Partial<CacheSavings>): void => {
      const before = all.get(name) ?? { name, ...nothing }
      const sum = { ...before }
      for (const [key, value] of Object.entries(more)) sum[key as keyof typeof nothing] += value as number
      all.set(name, sum)
    }
    for (const entry of store.cache) {
      const { bytes, hits } = useOf(store, entry)
      add(entry.name, { entries: 1, bytes, hits, savedMs: hits * entry.costMs, savedBytes: hits * bytes })
    }
    for (const [name, { hits, ms, bytes }] of store.savings)
      add(name, { hits, savedMs: ms, savedBytes: bytes })
    const varied = new Map(store.variations.map((one) => [one.fingerprint, one.name]))
    for (const name of varied.values()) add(name, { varied: 1 })
    return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  },
  async variations({ name, run, fingerprint, limit }) {
    return store.variations
      .filter(
        (one) =>
          (name === undefined || one.name === name) &&
          (run === undefined || one.run === run) &&
          (fingerprint === undefined || one.fingerprint === fingerprint),
      )
      .toReversed()
      .slice(0, limit)
      .map(copyOf)
  },
  async clear({ dryRun, ...choice }) {
    const chosen = chosenOf(store, choice)
    const bytes = chosen.reduce((sum, entry) => sum + useOf(store, entry).bytes, 0)
    if (dryRun === true) return { entries: chosen.length, bytes }
    dropThose(store, new Set(chosen))
    clearBases(store, choice)
    return { entries: chosen.length, bytes }
  },
})

const nothing = { entries: 0, bytes: 0, hits: 0, savedMs: 0, savedBytes: 0, varied: 0 }

const useOf = (store: MemoryStore, entry: CacheEntry) =>
  store.uses.get(entry) ?? { seq: 0, bytes: 0, hits: 0 }

const fits = (
  entry: CacheEntry,
  { name, prefix }: { name?: string | undefined; prefix?: string | undefined },
) =>
  (name === undefined || entry.name === name) &&
  (prefix === undefined || entry.fingerprint.startsWith(prefix))

function chosenOf(
  store: MemoryStore,
  { name, prefix, notSince, maxBytes, maxEntries }: CacheChoice,
): CacheEntry[] {
  const usedAt = (entry: CacheEntry): number => Math.max(entry.at, useOf(store, entry).usedAt ?? 0)
  const found = store.cache
    .filter((entry) => fits(entry, { name, prefix }) && (notSince === undefined || usedAt(entry) < notSince))
    .sort((a, b) => usedAt(a) - usedAt(b) || useOf(store, a).seq - useOf(store, b).seq)
  if (maxBytes === undefined && maxEntries === undefined) return found
  let bytes = found.reduce((sum, entry) => sum + useOf(store, entry).bytes, 0)
  let excess = 0
  while (bytes > (maxBytes ?? bytes) || found.length - excess > (maxEntries ?? found.length))
    bytes -= useOf(store, found[excess++] as CacheEntry).bytes
  return found.slice(0, excess)
}

/** Results of maps go with the entries of their task: else a map would carry over what was to be made anew. */
function clearBases(store: MemoryStore, { name, prefix, notSince, maxBytes, maxEntries }: CacheChoice): void {
  if (prefix !== undefined || maxBytes !== undefined || maxEntries !== undefined) return
  for (const [key, base] of store.bases)
    if ((name === undefined || base.name === name) && (notSince === undefined || base.at < notSince))
      store.bases.delete(key)
}
