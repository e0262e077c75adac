import { hash } from 'node:crypto'
import type { Digest } from '../model/refs.ts'

/** SHA-256 of a text or of bytes. */
export const sha256 = (content: string | Uint8Array): Digest => hash('sha256', content)

/** SHA-256 of several texts, so that no two lists of texts have the same. */
export const sha256All = (texts: readonly string[]): Digest => sha256(JSON.stringify(texts))
