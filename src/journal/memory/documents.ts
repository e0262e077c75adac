import type { DocumentKey, DocumentVersion } from '../../model/document.ts'
import { keptVersions } from '../../model/document.ts'
import type { RunId } from '../../model/records.ts'
import type { Documents, DocumentWrite } from '../../ports/documents.ts'
import { documentThere } from '../document-rules.ts'
import type { DocumentMemory, MemoryStore } from './store.ts'

const keyOf = ({ environment, scope, name }: DocumentKey): string =>
  JSON.stringify([environment, scope, name])

function write(store: MemoryStore, written: DocumentWrite): DocumentVersion {
  const rows = store.documents.get(keyOf(written)) ?? []
  const { seen, fingerprint, ...version } = written
  const { run, call } = written
  const newest = rows.at(-1)?.version
  const since = rows.filter((row) => row.version.version > (seen ?? newest?.version ?? 0))
  const isOwn = (row: DocumentMemory): boolean =>
    row.version.run === run && row.version.call === call && row.fingerprint === fingerprint
  const there = documentThere(written, {
    newest,
    own: run === undefined ? undefined : rows.findLast(isOwn)?.version,
    isOwnSince: run !== undefined && since.length > 0 && since.every((row) => row.version.run === run),
  })
  if (there !== undefined) return { ...there }
  const added = { ...version, version: (newest?.version ?? 0) + 1 }
  store.documents.set(keyOf(written), [...rows, { version: added, fingerprint }].slice(-keptVersions))
  return { ...added }
}

export const memoryDocuments = (store: MemoryStore): Documents => ({
  async write(written) {
    return write(store, written)
  },
  async version(key, number) {
    const rows = store.documents.get(keyOf(key)) ?? []
    const found = number === undefined ? rows.at(-1) : rows.find((row) => row.version.version === number)
    return found && { ...found.version }
  },
  async versions(key, { limit, before = Number.POSITIVE_INFINITY }) {
    const rows = (store.documents.get(keyOf(key)) ?? []).filter((row) => row.version.version < before)
    return rows
      .reverse()
      .slice(0, limit)
      .map((row) => ({ ...row.version }))
  },
  async list(environment, { limit, after }) {
    const newest = [...store.documents.values()].map((rows) => (rows.at(-1) as DocumentMemory).version)
    return newest
      .filter((one) => one.environment === environment && (after === undefined || compare(one, after) > 0))
      .sort(compare)
      .slice(0, limit)
      .map((one) => ({ ...one }))
  },
})

type Place = Omit<DocumentKey, 'environment'>

const compare = (a: Place, b: Place): number =>
  a.scope === b.scope ? (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) : a.scope < b.scope ? -1 : 1

/** Its own documents go with a run. */
export function removeDocuments(store: MemoryStore, run: RunId): void {
  for (const [key, rows] of store.documents)
    if (rows[0]?.version.scope === `run:${run}`) store.documents.delete(key)
}
