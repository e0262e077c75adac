import type { Digest } from '../model/refs.ts'
import { sha256All } from './sha256.ts'

/** What counts, by name: `helpers.ts:half`, `package:zod`. */
export type Part = readonly [name: string, digest: Digest]

/** More parts of one file are of no use to a reader, and many tasks may share them. */
const mostOfFile = 40

/** A file of which much is reached is one part. */
export function condensed(parts: readonly Part[]): readonly Part[] {
  const files = Map.groupBy(parts, ([name]) => name.slice(0, name.lastIndexOf(':')))
  return [...files].flatMap(([file, own]): readonly Part[] =>
    own.length <= mostOfFile || file === 'package' || file === 'import'
      ? own
      : [[file, sha256All(own.flat())]],
  )
}
