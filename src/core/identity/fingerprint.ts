import type { Hash } from '../../model/digest.ts'
import type { Digest } from '../../model/refs.ts'

/**
 * A call's fingerprint: what it is known by when its inputs are. Parts are kept by name, so that `why` can say
 * which of them differs.
 */
export interface FingerprintParts {
  readonly name: string
  /** digest of what the code reaches, or the author's `version` */
  readonly code: string
  /** digest of the inputs: values by content, files by name and content, directories by tree */
  readonly inputs: Digest
  /** declared surroundings: environment, variables, files read, interpreter; by name */
  readonly surroundings: Readonly<Record<string, string>>
}

export function fingerprint(parts: FingerprintParts, hash: Hash): Digest {
  const surroundings = Object.keys(parts.surroundings)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(parts.surroundings[name])}`)
  return hash(`${JSON.stringify(parts.name)}\n${parts.code}\n${parts.inputs}\n${surroundings.join('\n')}`)
}
