import type { Digest } from '../model/refs.ts'

/**
 * A bucket, or what is like one: bytes under keys, below a prefix of our own.
 *
 * O1 what `put` and `putFile` said was kept is durable, and its bytes were compared on arrival.
 * O2 an object is seen whole or not at all.
 * O3 each method tries again what may succeed then; what it throws is final for now.
 *    @throws ALM_STORE_DENIED, ALM_STORE_FAILED, each with the key
 */
export interface Objects {
  /** for people: `s3://bucket/prefix` */
  readonly url: string
  /** `once`: false where the key is taken, whose bytes then stay. */
  put(key: string, bytes: Uint8Array, options?: { readonly once?: boolean }): Promise<boolean>
  /**
   * A file of any size, in parts; under a key that ends with its digest one that was cut off goes on where it stopped.
   * @throws ALM_INPUT_CHANGED where the file has another digest
   */
  putFile(key: string, path: string, digest: Digest): Promise<void>
  /**
   * Gives an object's bytes in order, in pieces of bounded size; returns how many bytes, or undefined where there is
   * no such object. It ends with ALM_STORE_FAILED where it has more than `most` bytes.
   */
  read(
    key: string,
    take: (piece: Uint8Array) => void | Promise<void>,
    most?: number,
  ): Promise<number | undefined>
  look(key: string): Promise<ObjectInfo | undefined>
  /** In order of keys. */
  list(prefix: string): AsyncIterable<ObjectInfo>
  remove(keys: readonly string[]): Promise<void>
  close(): void
}

export interface ObjectInfo {
  readonly key: string
  readonly size: number
  /** ms since 1970, by the store's clock */
  readonly changedAt: number
}
