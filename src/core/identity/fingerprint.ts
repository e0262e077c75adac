import type { Hash } from '../../model/digest.ts'
import type { Digest } from '../../model/refs.ts'

/**
 * What a call's fingerprint is made of besides its inputs. Parts are kept by name, so that `why` can say which of them
 * differs.
 */
export interface FingerprintParts {
  readonly name: string
  /** digest of what the code reaches, or the author's `version` */
  readonly code: string
  /** declared surroundings: environment, variables, files read, interpreter; by name */
  readonly surroundings: Readonly<Record<string, string>>
}

/**
 * The fingerprints of calls that share all but their inputs: what they share is written once. Inputs come as a text:
 * values by content, files by name and content, directories by tree.
 */
export function fingerprintWith(
  { name, code, surroundings }: FingerprintParts,
  hash: Hash,
): (inputs: string) => Digest {
  const lines = [name, code].map((line) => JSON.stringify(line))
  for (const each of Object.keys(surroundings).sort())
    lines.push(`${JSON.stringify(each)}:${JSON.stringify(surroundings[each])}`)
  // no line is empty: what follows the first empty one are the inputs
  const shared = `${lines.join('\n')}\n\n`
  return (inputs) => hash(shared + inputs)
}
