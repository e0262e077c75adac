import type { Digest } from '../model/refs.ts'

/**
 * Digests of the files and directories that wires speak of. It looks for the field by its text instead of decoding:
 * what a wire only quotes may come with it, and that errs on the side of keeping a blob.
 */
export function blobDigests(wires: Iterable<string | undefined>): Set<Digest> {
  const found = new Set<Digest>()
  for (const wire of wires) {
    if (wire === undefined) continue
    for (const [, digest] of wire.matchAll(/"digest"\s*:\s*"([0-9a-f]{64})"/g)) found.add(digest as Digest)
  }
  return found
}
