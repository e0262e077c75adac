import type { DatasetKey, DatasetVersion } from '../../model/dataset.ts'
import { checkDatasetName } from '../../model/dataset.ts'
import type { Digest } from '../../model/refs.ts'
import type { Datasets, NewVersion } from '../../ports/datasets.ts'
import { checkClash, datasetVersionThere } from '../dataset-rules.ts'
import type { DatasetMemory, MemoryStore } from './store.ts'

const keyOf = ({ environment, dataset }: Omit<DatasetKey, 'partition'>): string =>
  JSON.stringify([environment, dataset])

const isThere = ({ source, versions }: DatasetMemory): boolean => source !== undefined || versions.length > 0

/** @throws ALM_DATASET_NAME */
function checkName(store: MemoryStore, key: Omit<DatasetKey, 'partition'>): void {
  checkDatasetName(key.dataset)
  const others = [...store.datasets.values()].filter(
    (one) => one.environment === key.environment && isThere(one),
  )
  checkClash(
    key.dataset,
    others.map(({ dataset }) => dataset),
  )
}

/** @throws ALM_DATASET_NAME */
function opened(store: MemoryStore, key: Omit<DatasetKey, 'partition'>): DatasetMemory {
  checkName(store, key)
  const text = keyOf(key)
  const found = store.datasets.get(text)
  if (found !== undefined) return found
  const { environment, dataset } = key
  const made = { environment, dataset, source: undefined, versions: [], lastNumber: new Map() }
  store.datasets.set(text, made)
  return made
}

const versionsOf = (store: MemoryStore, key: DatasetKey): DatasetVersion[] =>
  (store.datasets.get(keyOf(key))?.versions ?? []).filter(({ partition }) => partition === key.partition)

function add(store: MemoryStore, added: NewVersion): DatasetVersion {
  const memory = opened(store, added)
  const versions = versionsOf(store, added)
  const newest = versions.at(-1)
  const { run, call, parent = newest?.version ?? 0 } = added
  const since = versions.filter(({ version }) => version > parent)
  const there = datasetVersionThere(added, {
    newest,
    own:
      run === undefined
        ? undefined
        : versions.findLast((one) => one.run === run && one.call === call && one.digest === added.digest),
    isOwnSince: run !== undefined && since.length > 0 && since.every((one) => one.run === run),
  })
  if (there !== undefined) return kept(memory, there, added.kept)
  const number = (memory.lastNumber.get(added.partition) ?? 0) + 1
  const version: DatasetVersion = {
    ...added,
    version: number,
    parent: newest?.version ?? 0,
    seq: ++store.versionSeq,
  }
  memory.lastNumber.set(added.partition, number)
  memory.versions.push(version)
  return { ...version }
}

/** Its content came into the store after it was added. */
function kept(memory: DatasetMemory, there: DatasetVersion, isKept: boolean): DatasetVersion {
  if (!isKept || there.kept) return { ...there }
  const changed = { ...there, kept: true }
  memory.versions = memory.versions.map((one) => (one === there ? changed : one))
  return { ...changed }
}

export const memoryDatasets = (store: MemoryStore): Datasets => ({
  async add(version) {
    return add(store, version)
  },
  async version(key, number) {
    const versions = versionsOf(store, key)
    const found = number === undefined ? versions.at(-1) : versions.find(({ version }) => version === number)
    return found && { ...found }
  },
  async versions(key, { limit, before = Number.POSITIVE_INFINITY }) {
    const versions = versionsOf(store, key).filter(({ version }) => version < before)
    return versions.reverse().slice(0, limit)
  },
  async list(environment, { limit, after = '' }) {
    return [...store.datasets.values()]
      .filter((one) => one.environment === environment && one.dataset > after && isThere(one))
      .sort((a, b) => (a.dataset < b.dataset ? -1 : 1))
      .slice(0, limit)
      .map(({ dataset, source, versions }) => {
        const newest = versions.at(-1)
        return {
          dataset,
          ...(source !== undefined && { source }),
          ...(newest !== undefined && { newest }),
        }
      })
  },
  async setSource(key, source) {
    opened(store, key).source = source
  },
  async checkName(key) {
    checkName(store, key)
  },
  async source(key) {
    return store.datasets.get(keyOf(key))?.source
  },
  async remove(key, numbers) {
    const memory = store.datasets.get(keyOf(key))
    if (memory === undefined) return 0
    const isGone = ({ partition, version }: DatasetVersion): boolean =>
      numbers === undefined || (partition === key.partition && numbers.includes(version))
    const before = memory.versions.length
    memory.versions = memory.versions.filter((one) => !isGone(one))
    if (numbers === undefined) memory.source = undefined
    return before - memory.versions.length
  },
})

/** Trees of all versions that are there. */
export function* datasetRoots(store: MemoryStore): Generator<Digest> {
  for (const { versions } of store.datasets.values()) for (const { digest } of versions) yield digest
}
