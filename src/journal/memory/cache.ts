import type { BaseRecord, CacheRecord, Outcome, RunId, VariationRecord } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { RunCache } from '../../ports/journal.ts'
import { blobDigests } from '../blob-digests.ts'
import { datasetRoots } from './datasets.ts'
import type { CacheEntry, MemoryStore } from './store.ts'
import { copyOf } from './store.ts'

export function addEntry(store: MemoryStore, run: RunId, record: CacheRecord): void {
  const { kind: _, replaces, varies, bytes, ...entry } = copyOf(record)
  const first = store.byFingerprint.get(entry.fingerprint)?.[0]
  if (first !== undefined && first.digest !== entry.digest && varies !== true) {
    const { fingerprint, name, call, at } = entry
    addVariation(store, run, {
      kind: 'variation',
      fingerprint,
      name,
      call,
      digest: first.digest,
      other: entry.digest,
      at,
    })
  }
  if (replaces === true) dropEntries(store, new Set([entry.fingerprint]))
  const kept: CacheEntry = { ...entry, run }
  store.cache.push(kept)
  store.uses.set(kept, { seq: ++store.seq, bytes: bytes ?? 0, hits: 0 })
  const same = store.byFingerprint.get(entry.fingerprint)
  if (same === undefined) store.byFingerprint.set(entry.fingerprint, [kept])
  else same.push(kept)
  store.work.delete(entry.fingerprint)
}

export function addVariation(store: MemoryStore, run: RunId, record: VariationRecord): void {
  const { kind: _, ...variation } = record
  store.variations.push({ ...variation, run })
}

function dropEntries(store: MemoryStore, gone: ReadonlySet<Digest>): void {
  dropThose(store, new Set(store.cache.filter((entry) => gone.has(entry.fingerprint))))
}

/** What they saved stays on record. */
export function dropThose(store: MemoryStore, gone: ReadonlySet<CacheEntry>): void {
  for (const entry of gone) {
    const use = store.uses.get(entry)
    store.uses.delete(entry)
    if (use !== undefined) save(store, entry.name, use.hits, use.hits * entry.costMs, use.hits * use.bytes)
    const same = (store.byFingerprint.get(entry.fingerprint) ?? []).filter((one) => one !== entry)
    if (same.length > 0) store.byFingerprint.set(entry.fingerprint, same)
    else store.byFingerprint.delete(entry.fingerprint)
  }
  const kept = store.cache.filter((entry) => !gone.has(entry))
  store.cache.splice(0, store.cache.length, ...kept)
}

function save(store: MemoryStore, name: string, hits: number, ms: number, bytes: number): void {
  if (hits === 0) return
  const before = store.savings.get(name) ?? { hits: 0, ms: 0, bytes: 0 }
  store.savings.set(name, { hits: before.hits + hits, ms: before.ms + ms, bytes: before.bytes + bytes })
}

/** An entry was taken, or a map carried entries over. */
export function addUse(store: MemoryStore, name: string, outcome: Outcome): void {
  const { reason, fingerprint, map, endedAt } = outcome
  if (map !== undefined) save(store, name, map.carried, map.savedMs ?? 0, 0)
  const entry = reason === 'cached' ? store.byFingerprint.get(fingerprint ?? '')?.[0] : undefined
  const use = entry && store.uses.get(entry)
  if (use === undefined) return
  use.hits++
  use.usedAt = Math.max(use.usedAt ?? 0, endedAt)
}

export function setBase(store: MemoryStore, run: RunId, record: BaseRecord): void {
  const { kind: _, ...base } = record
  store.bases.set(baseKey(base.base, base.environment), { ...base, run })
}

const baseKey = (base: Digest, environment: string): string => JSON.stringify([base, environment])

export const memoryCache = (store: MemoryStore): RunCache => ({
  async find(fingerprint, notBefore) {
    return copyIfAny(store.byFingerprint.get(fingerprint)?.find((entry) => entry.at >= notBefore))
  },
  async findBase(base, environment) {
    return copyIfAny(store.bases.get(baseKey(base, environment)))
  },
  async nearest(name) {
    return copyIfAny(store.cache.findLast((entry) => entry.name === name))
  },
  async *roots() {
    yield* roots(store)
  },
  async forget(fingerprints) {
    const gone = new Set(fingerprints)
    dropEntries(store, gone)
    for (const [key, { base }] of store.bases) if (gone.has(base)) store.bases.delete(key)
  },
})

const copyIfAny = <T extends object>(record: T | undefined): T | undefined => record && copyOf(record)

function* roots(store: MemoryStore): Generator<Digest> {
  for (const entry of store.cache) {
    yield* entry.blobs
    yield* blobDigests([entry.valueWire, entry.shownWire])
  }
  for (const base of store.bases.values()) {
    yield base.input
    yield* blobDigests([base.valueWire, base.shownWire])
  }
  yield* datasetRoots(store)
  for (const { record, calls, outcomes, asks, messages, notes } of store.runs.values()) {
    yield* blobDigests([record.inputWire, record.outputWire])
    for (const { argsWire } of calls.values()) yield* blobDigests([argsWire])
    for (const { valueWire } of outcomes.values()) yield* blobDigests([valueWire])
    for (const ask of asks.values()) yield* blobDigests([ask.record.showWire, ask.answer?.answerWire])
    for (const { valueWire } of messages.values()) yield* blobDigests([valueWire])
    for (const { bodyWire } of notes) yield* blobDigests([bodyWire])
  }
}
