import type { Digest } from '../../model/refs.ts'
import type { ObjectInfo, Objects } from '../../ports/objects.ts'

/** Objects that are opened when they are first needed: to load what speaks to them takes longer than many a run. */
export class LazyObjects implements Objects {
  readonly url: string
  readonly #open: () => Promise<Objects>
  #opened: Promise<Objects> | undefined

  constructor(url: string, open: () => Promise<Objects>) {
    this.url = url
    this.#open = open
  }

  async put(key: string, bytes: Uint8Array, options?: { readonly once?: boolean }): Promise<boolean> {
    return (await this.#objects()).put(key, bytes, options)
  }

  async putFile(key: string, path: string, digest: Digest): Promise<void> {
    return (await this.#objects()).putFile(key, path, digest)
  }

  async read(
    key: string,
    take: (piece: Uint8Array) => void | Promise<void>,
    most?: number,
  ): Promise<number | undefined> {
    return (await this.#objects()).read(key, take, most)
  }

  async look(key: string): Promise<ObjectInfo | undefined> {
    return (await this.#objects()).look(key)
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    yield* (await this.#objects()).list(prefix)
  }

  async remove(keys: readonly string[]): Promise<void> {
    return (await this.#objects()).remove(keys)
  }

  close(): void {
    this.#opened?.then(
      (objects) => objects.close(),
      () => undefined,
    )
    this.#opened = undefined
  }

  #objects(): Promise<Objects> {
    this.#opened ??= this.#open()
    return this.#opened
  }
}
