import { misspoken } from './messages.ts'

/** Frames of the worker's sockets: u32 little-endian length, then that much UTF-8 JSON: a list of messages. */

/** Longer ones are no frames of ours: a result is refused long before. */
const maxFrame = 256 * 1024 * 1024

/** Messages go together up to so many characters: all that is sent in one turn may be more than a text can have. */
const mostTogether = 2 ** 24

/** Messages that are JSON text already, as few frames in their order. */
export function* framesOf(messages: readonly string[]): Generator<Buffer> {
  let from = 0
  let characters = 0
  for (const [i, { length }] of messages.entries()) {
    if (i > from && characters + length > mostTogether) {
      yield frameOf(messages.slice(from, i))
      from = i
      characters = 0
    }
    characters += length
  }
  if (from < messages.length) yield frameOf(messages.slice(from))
}

/** One frame of messages that are JSON text already. */
export function frameOf(messages: readonly string[]): Buffer {
  const body = `[${messages.join(',')}]`
  const length = Buffer.byteLength(body)
  const frame = Buffer.allocUnsafe(4 + length)
  frame.writeUInt32LE(length, 0)
  frame.write(body, 4)
  return frame
}

/** Cuts a stream of bytes into frames. Owns the bytes of the frame that is not complete. */
export class FrameReader {
  #chunks: Buffer[] = []
  #size = 0
  /** bytes that the next frame needs, its length included; 4 until that is known */
  #wanted = 4

  /** The messages of all frames that are complete now. @throws ALM_WORKER_LOST if it cannot be a frame */
  push(chunk: Buffer): unknown[] {
    const messages: unknown[] = []
    this.#chunks.push(chunk)
    this.#size += chunk.length
    while (this.#size >= this.#wanted) {
      const bytes = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
      const length = bytes.readUInt32LE(0)
      if (length > maxFrame) throw misspoken(`a frame of ${length} bytes`)
      this.#wanted = 4 + length
      this.#chunks = [bytes]
      if (bytes.length < this.#wanted) break
      const frame = parsed(bytes.toString('utf8', 4, this.#wanted))
      if (!Array.isArray(frame)) throw misspoken('a frame that is no list')
      for (const message of frame) messages.push(message)
      const rest = bytes.subarray(this.#wanted)
      this.#chunks = rest.length === 0 ? [] : [rest]
      this.#size = rest.length
      this.#wanted = 4
    }
    return messages
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw misspoken('a frame that is no JSON')
  }
}
