import { readFileSync } from 'node:fs'
import { AlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { ObjectInfo, Objects } from '../../ports/objects.ts'

interface Kept {
  readonly bytes: Uint8Array
  readonly changedAt: number
}

/** A bucket in memory, which several stores may share. */
export class MemoryObjects implements Objects {
  readonly url = 'memory://bucket'
  readonly kept: Map<string, Kept>
  /** requests by their kind, as a store would count them */
  readonly asked: Record<string, number> = {}
  now: () => number = Date.now
  /** `look` says whole seconds, as HTTP does, where lists say milliseconds */
  looksInSeconds = false
  /** called before each request does anything: throws what is to go wrong, waits as long as it is to take */
  onRequest: (kind: string, key: string) => void | Promise<void> = () => {}

  constructor(kept: Map<string, Kept> = new Map()) {
    this.kept = kept
  }

  async put(key: string, bytes: Uint8Array, options: { readonly once?: boolean } = {}): Promise<boolean> {
    await this.#request('put', key)
    if (options.once === true && this.kept.has(key)) return false
    this.kept.set(key, { bytes: bytes.slice(), changedAt: this.now() })
    return true
  }

  async putFile(key: string, path: string, _digest: Digest): Promise<void> {
    await this.#request('put', key)
    this.kept.set(key, { bytes: readFileSync(path), changedAt: this.now() })
  }

  async read(
    key: string,
    take: (piece: Uint8Array) => void | Promise<void>,
    most = Number.POSITIVE_INFINITY,
  ): Promise<number | undefined> {
    await this.#request('read', key)
    const kept = this.kept.get(key)
    if (kept === undefined) return undefined
    if (kept.bytes.length > most) {
      const why = `it has ${kept.bytes.length} bytes, more than ${most}`
      throw new AlmanacError('ALM_STORE_FAILED', { path: `${this.url}/${key}`, why })
    }
    await take(kept.bytes)
    return kept.bytes.length
  }

  async look(key: string): Promise<ObjectInfo | undefined> {
    await this.#request('look', key)
    const kept = this.kept.get(key)
    if (kept === undefined) return undefined
    const { bytes, changedAt } = kept
    return {
      key,
      size: bytes.length,
      changedAt: this.looksInSeconds ? Math.floor(changedAt / 1000) * 1000 : changedAt,
    }
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    await this.#request('list', prefix)
    for (const key of [...this.kept.keys()].filter((name) => name.startsWith(prefix)).sort()) {
      const kept = this.kept.get(key)
      if (kept !== undefined) yield { key, size: kept.bytes.length, changedAt: kept.changedAt }
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#request('remove', keys[0] ?? '')
    for (const key of keys) this.kept.delete(key)
  }

  close(): void {
    // it may be shared
  }

  async #request(kind: string, key: string): Promise<void> {
    this.asked[kind] = (this.asked[kind] ?? 0) + 1
    await this.onRequest(kind, key)
  }
}
