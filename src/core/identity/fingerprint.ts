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

/** The fingerprints of calls that share all but their inputs: what they share is written once. */
export function fingerprintWith(
  { name, code, surroundings }: Omit<FingerprintParts, 'inputs'>,
  hash: Hash,
): (inputs: Digest) => Digest {
  const before = `${JSON.stringify(name)}\n${code}\n`
  const after = Object.keys(surroundings)
    .sort()
    .map((each) => `${JSON.stringify(each)}:${JSON.stringify(surroundings[each])}`)
    .join('\n')
  return (inputs) => hash(`${before}${inputs}\n${after}`)
}
