import type { Digest, DirRef, FileRef } from '../model/refs.ts'

/** What a server says by which the same bytes can be recognised later. */
export interface Validators {
  readonly etag?: string
  /** as the server wrote it */
  readonly lastModified?: string
}

/** What was downloaded under a name before. */
export interface Kept extends Validators {
  readonly digest: Digest
  readonly size: number
  /** what the author said that it has, and it had */
  readonly checked?: Checksum
}

/** Of what a part is a part. */
export interface Begun extends Validators {
  /** bytes of the whole, where the server said so */
  readonly total?: number
  /** content coding of the bytes as they come */
  readonly encoding?: string
  /** checksums that the server promised with the whole, by algorithm */
  readonly promised?: Readonly<Record<string, string>>
}

/**
 * Downloads on their way into the store, and what is known of earlier ones.
 *
 * N1 what is `known` is in the store, whole, and dated anew: the next collection leaves it. Where the store is shared,
 *    it may be there alone.
 * N2 a part belongs to one process at a time; it is left to the next when its owner is gone, however it went.
 * N3 of a part only bytes that were written for its `begun` are found again, and after a loss of power only those
 *    that were on disk.
 * N4 what is kept appears in the store whole or not at all.
 */
export interface Downloads {
  /** What was kept under a name, if it is still there. */
  known(name: string): Promise<Kept | undefined>
  /** @throws ALM_STORE_FULL, ALM_STORE_READ_ONLY, as all that writes */
  remember(name: string, kept: Kept): void
  /** Of what is kept, in hexadecimal; undefined where it is not on this machine. */
  checksum(kept: Kept, algorithm: ChecksumAlgorithm): Promise<string | undefined>
  /** Has what was begun under this name, by whoever is gone since, or nothing. */
  part(name: string): Promise<Part>
  /** A directory of files that are in the store. */
  assemble(files: Iterable<readonly [path: string, file: FileRef]>): Promise<DirRef>
}

/** What had come of a file is no longer as it was written, and is forgotten: it is fetched anew. */
export class PartLost extends Error {
  override readonly name = 'PartLost'

  constructor() {
    super('what had come of it was removed meanwhile')
  }
}

/** A file on its way. */
export interface Part {
  /** undefined: nothing has come yet */
  readonly begun: Begun | undefined
  /** bytes that are there */
  readonly size: number
  /** Forgets what there is, and begins anew. */
  begin(begun: Begun): Promise<void>
  /** @throws PartLost */
  write(bytes: Uint8Array): Promise<void>
  /** Checksums of what there is, in hexadecimal. @throws PartLost */
  checksums(algorithms: readonly ChecksumAlgorithm[]): Promise<Readonly<Record<string, string>>>
  /** Moves it into the store, decoded. @throws PartLost; ALM_SOURCE_FAILED where it cannot be decoded or is more than `maxBytes` */
  keep(options: { readonly maxBytes: number }): Promise<{ readonly digest: Digest; readonly size: number }>
  /** Forgets it. */
  discard(): Promise<void>
  /** Leaves it to whoever asks for it next. */
  leave(): Promise<void>
}

export const checksumAlgorithms = ['sha256', 'sha512', 'sha1', 'md5', 'crc32', 'crc32c'] as const
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number]

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  /** in hexadecimal */
  readonly value: string
}
