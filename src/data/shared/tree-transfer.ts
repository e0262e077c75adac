import { isIndex } from '../../core/tree/listing.ts'
import type { Digest } from '../../model/refs.ts'
import { DirRef, type FileRef } from '../../model/refs.ts'
import type { Listings } from '../blobs/listings.ts'
import type { Remote } from './remote.ts'

/**
 * Sends what a value stands for, to a shared store; or of a directory only its listings, to a folder of their own there.
 *
 * U1 a listing is there only if all that it names is: it is sent last. So what is there is not looked at again, and
 *    the cost follows the change.
 */
export class TreeTransfer {
  readonly #remote: Remote
  readonly #listings: Listings
  readonly #what: 'all' | 'listings'
  readonly #trees = new Map<Digest, Promise<void>>()

  constructor(remote: Remote, listings: Listings, what: 'all' | 'listings') {
    this.#remote = remote
    this.#listings = listings
    this.#what = what
  }

  /** Brings all listings of a directory here; false where one is missing. */
  async pull(root: Digest): Promise<boolean> {
    if (!(await this.#remote.fetch(root))) return false
    const listing = this.#listings.read(root)
    const below = isIndex(listing) ? listing.nodes : listing.entries.filter(({ kind }) => kind === 'dir')
    return (await Promise.all(below.map(({ digest }) => this.pull(digest)))).every((there) => there)
  }

  /** All of it is in the shared store when it resolves. @throws ALM_BLOB_MISSING where a part of it lies with a user */
  async push(refs: Iterable<FileRef | DirRef>): Promise<void> {
    await this.#remote.lookAround()
    const all: Promise<void>[] = []
    for (const ref of refs)
      all.push(ref instanceof DirRef ? this.#tree(ref.digest) : this.#remote.send(ref.digest))
    await everyOne(all)
  }

  #tree(digest: Digest): Promise<void> {
    if (this.#remote.isKnown(digest)) return Promise.resolve()
    const underWay = this.#trees.get(digest)
    if (underWay !== undefined) return underWay
    const begun = this.#sendTree(digest).finally(() => this.#trees.delete(digest))
    this.#trees.set(digest, begun)
    return begun
  }

  async #sendTree(digest: Digest): Promise<void> {
    // by U1 all of it is there
    if (!this.#remote.isCondemned(digest) && (await this.#remote.has(digest))) return
    await this.#listings.bring(digest)
    const listing = this.#listings.read(digest)
    const parts = isIndex(listing)
      ? listing.nodes.map((node) => this.#tree(node.digest))
      : listing.entries.map(({ kind, digest: entry }) =>
          kind === 'dir' ? this.#tree(entry) : this.#what === 'all' ? this.#remote.send(entry) : nothing,
        )
    await everyOne(parts)
    await this.#remote.send(digest)
  }
}

const nothing = Promise.resolve()

/** Fails with the first failure, when all have ended. */
async function everyOne(all: readonly Promise<void>[]): Promise<void> {
  for (const one of await Promise.allSettled(all)) if (one.status === 'rejected') throw one.reason
}
