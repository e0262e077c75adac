import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { isAlmanacError } from '../../model/errors.ts'
import type { Digest, DirRef, FileRef } from '../../model/refs.ts'
import type { Begun, ChecksumAlgorithm, Downloads, Kept, Part } from '../../ports/downloads.ts'
import { inStore, isMissing } from '../files/failures.ts'
import { ifThere, namesIn } from '../files/missing-files.ts'
import { isPresent } from '../processes/presence.ts'
import { bootId } from '../processes/process-identity.ts'
import type { LocalParts } from '../staging/local-parts.ts'
import { checksumsOf } from './checksums.ts'
import { KnownTable, keyOf } from './known-table.ts'
import { PartFile, type PartRecord } from './part-file.ts'

/** What nobody has asked for meanwhile is removed, ms. */
const abandonedAfter = 7 * 24 * 3600_000

/** `<key of the name>.<id of the process>.json`; `+` and a text follow the id of a second one of the same name */
const recordName = /^([0-9a-f]{40})\.([^+]+)(?:\+.+)?\.json(\.tmp)?$/

/** A store that is shared with others, and what it has. */
interface SharedBlobs {
  lookAround(): Promise<unknown>
  isCondemned(digest: Digest): boolean
  /** Brings it here; false if it is not there. */
  fetch(digest: Digest): Promise<boolean>
  has(digest: Digest): Promise<boolean>
}

interface DownloadParts extends Pick<LocalParts, 'home' | 'presence' | 'store'> {
  readonly remote?: SharedBlobs
}

/** Downloads below one `.almanac`: `downloads/known/`, `downloads/parts/`. */
export class LocalDownloads implements Downloads {
  readonly #parts: DownloadParts
  readonly #assemble: Downloads['assemble']
  readonly #known: KnownTable
  readonly #folder: string
  readonly #inUse = new Set<string>()
  readonly #bootId = bootId()

  constructor(
    parts: DownloadParts,
    assemble: (files: Iterable<readonly [string, FileRef]>) => Promise<DirRef>,
  ) {
    const { downloads } = parts.home
    this.#parts = parts
    this.#assemble = assemble
    this.#known = new KnownTable(`${downloads}/known`, parts.presence.temporary)
    this.#folder = `${downloads}/parts`
    inStore(this.#folder, () => {
      mkdirSync(this.#folder, { recursive: true })
      removeAbandoned(this.#folder, (id) => this.#isPresent(id))
    })
  }

  async known(name: string): Promise<Kept | undefined> {
    const kept = this.#known.get(name)
    if (kept === undefined) return undefined
    const { store } = this.#parts
    if (store.hasNow(kept.digest, kept.size) && store.renew(kept.digest)) return kept
    return (await this.#isShared(kept.digest)) ? kept : undefined
  }

  /** Has a shared store got it? It stays there until it is needed here. */
  async #isShared(digest: Digest): Promise<boolean> {
    const { remote } = this.#parts
    if (remote === undefined) return false
    try {
      await remote.lookAround()
      // about to be collected there: from here it is sent again
      return remote.isCondemned(digest) ? await remote.fetch(digest) : await remote.has(digest)
    } catch (error) {
      // a store that cannot be asked costs a download, and does not fail it
      if (isAlmanacError(error)) return false
      throw error
    }
  }

  remember(name: string, kept: Kept): void {
    this.#known.set(name, kept)
  }

  async checksum(kept: Kept, algorithm: ChecksumAlgorithm): Promise<string | undefined> {
    const { store } = this.#parts
    if (!store.hasNow(kept.digest, kept.size)) return undefined
    return (await checksumsOf(store.pathOf(kept.digest), [algorithm]))[algorithm]
  }

  async part(name: string): Promise<Part> {
    const key = keyOf(name)
    // two calls of this process that want the same at once do not share a part
    const place = this.#inUse.has(key) ? `${key}+${crypto.randomUUID().slice(0, 8)}` : key
    this.#inUse.add(place)
    const record = `${this.#folder}/${key}.${this.#parts.presence.id}${place.slice(40)}.json`
    const found = inStore(record, () => (place === key ? this.#take(key, record) : undefined))
    return new PartFile(
      {
        folder: this.#folder,
        record,
        bootId: this.#bootId,
        adopt: (path) => this.#parts.store.adopt(path),
        left: () => this.#inUse.delete(place),
      },
      found,
    )
  }

  assemble(files: Iterable<readonly [path: string, file: FileRef]>): Promise<DirRef> {
    return this.#assemble(files)
  }

  /** Of what processes that are gone left, the one with the most bytes would be best; the first one serves. */
  #take(key: string, mine: string): PartRecord | undefined {
    const own = readRecord(mine)
    if (own !== undefined) return own
    for (const name of namesIn(this.#folder)) {
      const [, of, id, unfinished] = recordName.exec(name) ?? []
      if (of !== key || id === undefined || unfinished !== undefined || this.#isPresent(id)) continue
      try {
        // only one gets it
        renameSync(`${this.#folder}/${name}`, mine)
      } catch (error) {
        if (isMissing(error)) continue
        throw error
      }
      const found = readRecord(mine)
      if (found !== undefined) return found
    }
    return undefined
  }

  #isPresent(id: string): boolean {
    return isPresent(this.#parts.home, id)
  }
}

function readRecord(path: string): PartRecord | undefined {
  const text = ifThere(() => readFileSync(path, 'utf8'))
  if (text === undefined) return undefined
  try {
    const { body, begun, bootId: boot, synced } = JSON.parse(text) as Record<string, unknown>
    if (typeof body !== 'string' || !/^[0-9a-f-]{36}$/.test(body) || typeof boot !== 'string')
      return undefined
    if (begun === null || typeof begun !== 'object' || !Number.isSafeInteger(synced)) return undefined
    return { body, begun: begun as Begun, bootId: boot, synced: synced as number }
  } catch {
    // cut off by a loss of power: what it told of is fetched again
    return undefined
  }
}

/**
 * Bodies without a record were being removed when their process died. Whose a record is that cannot be read nobody knows:
 * another process may just be taking it.
 */
function removeAbandoned(folder: string, isPresent: (id: string) => boolean): void {
  const names = namesIn(folder)
  const named = new Set<string>()
  let isKnown = true
  for (const name of names) {
    const id = recordName.exec(name)?.[2]
    if (id === undefined) continue
    const path = `${folder}/${name}`
    if (!isPresent(id) && isOld(path, abandonedAfter)) {
      rmSync(path, { force: true })
      continue
    }
    const body = readRecord(path)?.body
    if (body === undefined) isKnown = false
    else named.add(body)
  }
  if (!isKnown) return
  for (const name of names) {
    const path = `${folder}/${name}`
    if (recordName.test(name) || named.has(name.slice(0, 36)) || !isOld(path, 3600_000)) continue
    rmSync(path, { force: true })
  }
}

const isOld = (path: string, ms: number): boolean =>
  Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > ms
