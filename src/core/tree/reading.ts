import type { Digest } from '../../model/refs.ts'
import type { Listing } from './listing.ts'

/**
 * A computation over listings that lie elsewhere. It yields the digest of each listing that it needs and is
 * resumed with it; whoever drives it may read from a disk, a network or memory.
 */
export type Reading<T> = Generator<Digest, T, Listing>

/** The same, and it yields what it finds as it finds it; what it is resumed with after a find does not matter. */
export type Finding<Item extends object, T = void> = Generator<Digest | Item, T, Listing>
