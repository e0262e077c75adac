import type { BaseRecord, CacheRecord, RunId, VariationRecord } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import type { RunCache } from '../../ports/journal.ts'
import { blobDigests } from '../blob-digests.ts'
import { datasetRoots } from './datasets.ts'
import type { CacheEntry, MemoryStore } from './store.ts'
import { copyOf } from './store.ts'

export function addEntry(store: MemoryStore, run: RunId, record: CacheRecord): void {
  const { kind: _, replaces, varies, bytes: __, ...entry } = copyOf(record)
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
  for (const fingerprint of gone) store.byFingerprint.delete(fingerprint)
  const kept = store.cache.filter((entry) => !gone.has(entry.fingerprint))
  store.cache.splice(0, store.cache.length, ...kept)
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
    yield* blobDigests([entry.valueWire])
  }
  for (const base of store.bases.values()) {
    yield base.input
    yield* blobDigests([base.valueWire])
  }
  yield* datasetRoots(store)
  for (const { record, calls, outcomes, asks, notes } of store.runs.values()) {
    yield* blobDigests([record.inputWire, record.outputWire])
    for (const { argsWire } of calls.values()) yield* blobDigests([argsWire])
    for (const { valueWire } of outcomes.values()) yield* blobDigests([valueWire])
    for (const ask of asks.values()) yield* blobDigests([ask.record.showWire, ask.answer?.answerWire])
    for (const { bodyWire } of notes) yield* blobDigests([bodyWire])
  }
}
