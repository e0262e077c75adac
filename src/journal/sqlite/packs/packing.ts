import { hash } from 'node:crypto'
import type { DigestOf } from '../../../model/digest.ts'
import type { DigestColumn } from '../database/rows.ts'
import { digestColumn, digestLength } from '../database/rows.ts'

/** Characters of the texts that are joined to one: far fewer than a text can have. */
const charactersJoined = 2 ** 26

/**
 * Many records as one array of numbers and one text, which cross to another thread in a few microseconds whatever
 * their count; as objects each would cost one. Both sides agree on the order of fields, see `packed-records.ts`.
 *
 * P1 a text is kept by its length, never by a separator: it may hold any character.
 * P2 what one `undo` takes back leaves no trace.
 * P3 texts that are too long for one are several, each of whole texts.
 */
export interface Packed {
  readonly numbers: Float64Array<ArrayBuffer>
  readonly texts: readonly string[]
  /** texts that come again and again, kept once */
  readonly words: readonly string[]
  /** digests, 64 characters each */
  readonly digests: string
}

/** Stands for the length of a digest, which is kept apart … */
const isDigest = -2
/** … and for that of one that the reader computes. */
const isToBeHashed = -3

export class PackWriter {
  #numbers = new Float64Array(1024)
  #count = 0
  // joined at the end: a text that grew piece by piece is twice as dear to send
  #texts: string[] = []
  #characters = 0
  #words: string[] = []
  #digests: string[] = []
  #wordIds = new Map<string, number>()

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Characters of all texts. */
  get characters(): number {
    return this.#characters
  }

  number(value: number): void {
    if (this.#count === this.#numbers.length) this.#grow()
    this.#numbers[this.#count++] = value
  }

  optionalNumber(value: number | undefined): void {
    this.number(value ?? Number.NaN)
  }

  text(value: string): void {
    this.number(value.length)
    this.#characters += value.length
    this.#texts.push(value)
  }

  optionalText(value: string | undefined): void {
    if (value === undefined) this.number(-1)
    else this.text(value)
  }

  word(value: string): void {
    let id = this.#wordIds.get(value)
    if (id === undefined) {
      id = this.#words.length
      this.#words.push(value)
      this.#wordIds.set(value, id)
    }
    this.number(id)
  }

  digest(value: string | undefined): void {
    if (value?.length !== digestLength) return this.optionalText(value)
    this.number(isDigest)
    this.#digests.push(value)
  }

  digestOf({ start, rest }: DigestOf): void {
    this.number(isToBeHashed)
    this.word(start)
    this.text(rest)
  }

  mark(): PackMark {
    return {
      count: this.#count,
      texts: this.#texts.length,
      characters: this.#characters,
      digests: this.#digests.length,
    }
  }

  /** Back to a mark. Words stay: nothing refers to them. */
  undo({ count, texts, characters, digests }: PackMark): void {
    this.#count = count
    this.#texts.length = texts
    this.#characters = characters
    this.#digests.length = digests
  }

  /** All that was written; the writer is empty again. */
  take(): Packed {
    const packed = {
      numbers: this.#numbers.subarray(0, this.#count),
      texts: this.#characters <= charactersJoined ? [this.#texts.join('')] : joined(this.#texts),
      words: this.#words,
      digests: this.#digests.join(''),
    }
    this.#numbers = new Float64Array(Math.max(1024, this.#count))
    this.#count = 0
    this.#texts = []
    this.#characters = 0
    this.#words = []
    this.#digests = []
    this.#wordIds = new Map()
    return packed
  }

  #grow(): void {
    const numbers = new Float64Array(this.#numbers.length * 2)
    numbers.set(this.#numbers)
    this.#numbers = numbers
  }
}

function joined(texts: readonly string[]): string[] {
  const pieces: string[] = []
  let from = 0
  let characters = 0
  for (const [i, { length }] of texts.entries()) {
    if (characters + length > charactersJoined) {
      pieces.push(texts.slice(from, i).join(''))
      from = i
      characters = 0
    }
    characters += length
  }
  return [...pieces, texts.slice(from).join('')]
}

export interface PackMark {
  readonly count: number
  readonly texts: number
  readonly characters: number
  readonly digests: number
}

export class PackReader {
  readonly #packed: Packed
  #at = 0
  #piece = 0
  #textAt = 0
  #digestAt = 0
  #bytes: Buffer | undefined

  constructor(packed: Packed) {
    this.#packed = packed
  }

  get isDone(): boolean {
    return this.#at >= this.#packed.numbers.length
  }

  number(): number {
    return this.#packed.numbers[this.#at++] as number
  }

  optionalNumber(): number | undefined {
    const value = this.number()
    return Number.isNaN(value) ? undefined : value
  }

  text(): string {
    return this.optionalText() ?? ''
  }

  optionalText(): string | undefined {
    return this.#text(this.number())
  }

  #text(length: number): string | undefined {
    if (length < 0) return undefined
    let texts = this.#packed.texts[this.#piece] as string
    if (this.#textAt + length > texts.length) {
      texts = this.#packed.texts[++this.#piece] as string
      this.#textAt = 0
    }
    const from = this.#textAt
    this.#textAt += length
    return texts.slice(from, this.#textAt)
  }

  word(): string {
    return this.#packed.words[this.number()] as string
  }

  digest(): DigestColumn | undefined {
    const length = this.number()
    if (length === isToBeHashed)
      return Buffer.from(hash('sha256', this.word() + this.text(), 'binary'), 'binary')
    if (length !== isDigest) return this.#text(length)
    const from = this.#digestAt
    this.#digestAt++
    // all at once: one by one they would cost as much as a third of the insert
    this.#bytes ??= Buffer.from(this.#packed.digests, 'hex')
    if (this.#bytes.length * 2 === this.#packed.digests.length)
      return this.#bytes.subarray(from * 32, from * 32 + 32)
    // one of them is none: each is looked at alone
    return digestColumn(this.#packed.digests.slice(from * digestLength, (from + 1) * digestLength))
  }
}
