/** Bytes and texts as the lines of a log: ended by `\n`, `\r\n` or, as progress bars do, `\r`. */

const lineEnd = /\r\n|\n|\r/g

/** The lines of a whole text; one line end at its end is none of its own. Long lines are split. */
export function splitLines(text: string, maxLength: number): string[] {
  const lines: string[] = []
  const whole = text.endsWith('\n') ? text.slice(0, text.endsWith('\r\n') ? -2 : -1) : text
  for (const line of whole.split(lineEnd)) pushPieces(lines, line, maxLength)
  return lines
}

function pushPieces(lines: string[], line: string, maxLength: number): void {
  let from = 0
  while (line.length - from > maxLength) {
    const to = wholeCharacter(line, from + maxLength)
    lines.push(line.slice(from, to))
    from = to
  }
  lines.push(from === 0 ? line : line.slice(from))
}

/** A cut between the halves of a surrogate pair would leave two broken characters. */
const wholeCharacter = (text: string, at: number): number =>
  text.charCodeAt(at - 1) >>> 10 === 0xd800 >>> 10 ? at - 1 : at

/**
 * Lines out of the chunks of a byte stream. Owns the start of a line that has not ended, never more than
 * `maxLength` characters of it, and the bytes of a character that has not ended.
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  readonly #maxLength: number
  #rest = ''
  /** a `\n` at the start of the next chunk belongs to the `\r` at the end of the last one */
  #afterReturn = false

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  push(chunk: Uint8Array): string[] {
    return this.#take(this.#decoder.decode(chunk, { stream: true }))
  }

  /** What is left when the stream has ended. */
  end(): string[] {
    const lines = this.#take(this.#decoder.decode())
    if (this.#rest !== '') lines.push(this.#rest)
    this.#rest = ''
    return lines
  }

  #take(text: string): string[] {
    const lines: string[] = []
    let from = this.#afterReturn && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#afterReturn = text.endsWith('\r')
    // only the new text is searched: the rest holds no line end
    lineEnd.lastIndex = from
    for (let end = lineEnd.exec(text); end !== null; end = lineEnd.exec(text)) {
      pushPieces(lines, this.#rest + text.slice(from, end.index), this.#maxLength)
      this.#rest = ''
      from = lineEnd.lastIndex
    }
    this.#rest += text.slice(from)
    if (this.#rest.length > this.#maxLength) {
      pushPieces(lines, this.#rest, this.#maxLength)
      this.#rest = lines.pop() ?? ''
    }
    return lines
  }
}
