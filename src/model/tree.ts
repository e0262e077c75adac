import type { Digest } from './refs.ts'

/**
 * One entry of a directory, by its path within it: names joined by `/`, left as they are (no normalisation).
 * In order: name by name, each by its UTF-8 bytes, so that what a directory holds follows it at once.
 */
export interface TreeEntry {
  readonly path: string
  readonly kind: 'file' | 'empty-dir'
  readonly digest: Digest
  readonly size: number
  readonly executable: boolean
}

/** How an entry differs between two directories. */
export interface TreeChange {
  readonly path: string
  readonly before?: TreeEntry
  readonly after?: TreeEntry
}
