import { chmodSync, constants, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Digest } from '../../model/refs.ts'
import { type Begun, type ChecksumAlgorithm, type Part, PartLost } from '../../ports/downloads.ts'
import { inStore, isMissing, storeError } from '../files/failures.ts'
import { fsyncPath } from '../files/fsync-path.ts'
import { checksumsOf } from './checksums.ts'
import { decodeFile } from './decode.ts'

/** So many bytes at most are fetched again after a loss of power. */
const syncEvery = 64 * 2 ** 20

const appending = constants.O_WRONLY | constants.O_APPEND

/** What is written beside the bytes of a part. */
export interface PartRecord {
  /** name of the file of bytes */
  readonly body: string
  readonly begun: Begun
  readonly bootId: string
  /** bytes that were on disk, whatever happens */
  readonly synced: number
}

export interface PartPlace {
  readonly folder: string
  /** of this process: `<key>.<process>.json` */
  readonly record: string
  readonly bootId: string
  /** Moves a file into the store. */
  adopt(path: string): Promise<{ readonly digest: Digest; readonly size: number }>
  /** The part is no longer in use here. */
  left(): void
}

/**
 * One part of this process.
 *
 * B1 the record is put in place, whole, before the first byte of what it tells of is written; a body belongs to the
 *    one record that names it.
 * B2 bytes are only appended; what a crash of the process left of them is their beginning.
 * B3 what is kept is all that was written: a body that somebody removed or cut meanwhile is forgotten.
 */
export class PartFile implements Part {
  readonly #place: PartPlace
  #record: PartRecord | undefined
  #file: FileHandle | undefined
  #size: number

  constructor(place: PartPlace, record: PartRecord | undefined) {
    this.#place = place
    this.#size = record === undefined ? 0 : inStore(place.folder, () => sizeFound(place, record))
    this.#record = this.#size === 0 ? undefined : record
  }

  get begun(): Begun | undefined {
    return this.#record?.begun
  }

  get size(): number {
    return this.#size
  }

  async begin(begun: Begun): Promise<void> {
    await this.#close()
    const before = this.#record
    const { bootId } = this.#place
    this.#record = { body: crypto.randomUUID(), begun, bootId, synced: 0 }
    this.#size = 0
    inStore(this.#place.record, () => {
      this.#write()
      if (before !== undefined) rmSync(this.#body(before), { force: true })
    })
  }

  async write(bytes: Uint8Array): Promise<void> {
    const record = this.#record as PartRecord
    const path = this.#body(record)
    try {
      // the rest alone would be no beginning: only what is empty is made
      this.#file ??= await open(path, this.#size === 0 ? 'a' : appending, 0o600)
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at)
        at += bytesWritten
        this.#size += bytesWritten
      }
      if (this.#size - record.synced < syncEvery) return
      await this.#file.datasync()
    } catch (error) {
      if (this.#size > 0 && isMissing(error)) await this.#lost()
      throw storeError(error, path)
    }
    this.#record = { ...record, synced: this.#size }
    inStore(this.#place.record, () => this.#write())
  }

  async checksums(algorithms: readonly ChecksumAlgorithm[]): Promise<Readonly<Record<string, string>>> {
    await this.#complete()
    return await checksumsOf(this.#body(this.#record as PartRecord), algorithms)
  }

  async keep({ maxBytes }: { readonly maxBytes: number }) {
    await this.#complete()
    const record = this.#record as PartRecord
    const body = this.#body(record)
    const { encoding } = record.begun
    const whole = encoding === undefined ? body : `${body}.decoded`
    if (encoding !== undefined) {
      rmSync(whole, { force: true })
      await decodeFile(body, whole, encoding, maxBytes)
    }
    const kept = await this.#place.adopt(whole)
    await this.discard()
    return kept
  }

  async discard(): Promise<void> {
    await this.#close()
    const record = this.#record
    this.#record = undefined
    this.#size = 0
    inStore(this.#place.record, () => {
      // the record last: without it nobody would know whose the body is
      if (record !== undefined)
        for (const path of [this.#body(record), `${this.#body(record)}.decoded`])
          rmSync(path, { force: true })
      rmSync(this.#place.record, { force: true })
    })
  }

  async leave(): Promise<void> {
    await this.#close()
    this.#place.left()
  }

  /** Nothing more comes, and all that came is there. Empty files are files too. @throws PartLost */
  async #complete(): Promise<void> {
    if (this.#size === 0) await this.write(new Uint8Array(0))
    await this.#close()
    const path = this.#body(this.#record as PartRecord)
    const found = inStore(path, () => statSync(path, { throwIfNoEntry: false })?.size)
    if (found !== this.#size) await this.#lost()
  }

  async #lost(): Promise<never> {
    await this.discard()
    throw new PartLost()
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  #body(record: PartRecord): string {
    return `${this.#place.folder}/${record.body}.body`
  }

  #write(): void {
    const { record } = this.#place
    const temporary = `${record}.tmp`
    writeFileSync(temporary, JSON.stringify(this.#record), { mode: 0o600 })
    renameSync(temporary, record)
    if ((this.#record as PartRecord).synced > 0) fsyncPath(record)
  }
}

/** How much of what is there can be believed. */
function sizeFound(place: PartPlace, record: PartRecord): number {
  const path = `${place.folder}/${record.body}.body`
  const found = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const size = record.bootId === place.bootId ? found : Math.min(found, record.synced)
  if (found > 0) chmodSync(path, 0o600)
  if (size < found) truncateSync(path, size)
  return size
}
