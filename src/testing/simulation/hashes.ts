/** One number of many: the same of the same, and never expected to be another's. 32 bits, above 2¹⁶. */
export function hashOf(...numbers: readonly number[]): number {
  let hash = 0x811c9dc5
  for (const number of numbers) {
    hash = Math.imul(hash ^ (number | 0), 0x01000193)
    hash ^= hash >>> 15
    hash = Math.imul(hash ^ Math.floor(number / 2 ** 32), 0x5bd1e995)
    hash ^= hash >>> 13
  }
  return (hash | 0x10000) >>> 0
}

/** A text as a number. */
export function textHash(text: string): number {
  let hash = 0x9747b28c
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
