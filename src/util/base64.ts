const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const values = new Map([...letters].map((letter, value) => [letter.charCodeAt(0), value]))

/** Standard base64 with padding. Own code: pure folders have no Buffer, and Node 24 no `Uint8Array.toBase64`. */
export function toBase64(bytes: Uint8Array): string {
  // a text for each group of all at once takes twenty times the bytes
  let text = ''
  for (let start = 0; start < bytes.length; start += pieceBytes) text += piece(bytes, start)
  return text
}

/** a multiple of 3, so that only the last piece is padded */
const pieceBytes = 3 * 4096

function piece(bytes: Uint8Array, start: number): string {
  const groups: string[] = []
  const end = Math.min(bytes.length, start + pieceBytes)
  for (let i = start; i < end; i += 3) {
    const left = bytes.length - i
    const word = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    groups.push(
      letters.charAt(word >> 18) +
        letters.charAt((word >> 12) & 63) +
        (left > 1 ? letters.charAt((word >> 6) & 63) : '=') +
        (left > 2 ? letters.charAt(word & 63) : '='),
    )
  }
  return groups.join('')
}

/** Undefined if the text is not canonical base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let word = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const value = i < text.length - padding ? values.get(text.charCodeAt(i)) : 0
    if (value === undefined) return undefined
    word = ((word << 6) | value) & 0xffffff
    if (i % 4 !== 3) continue
    for (const shift of [16, 8, 0]) if (at < bytes.length) bytes[at++] = (word >> shift) & 255
  }
  return bytes
}
