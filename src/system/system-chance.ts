import { randomBytes } from 'node:crypto'
import type { Chance } from '../ports/clock.ts'

/**
 * The machine's chance, and the last id that it gave.
 *
 * H1 each id is greater than the one before, also of one millisecond, and after the clock was set back.
 */
export class SystemChance implements Chance {
  readonly #bytes: (count: number) => Uint8Array
  #time = 0
  #drawn = 0

  constructor(bytes: (count: number) => Uint8Array = randomBytes) {
    this.#bytes = bytes
  }

  number(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#bytes(4)
    return (((a * 256 + b) * 256 + c) * 256 + d) / 2 ** 32
  }

  /** 9 characters of time (ms), 5 of chance: short enough to type, unique among the runs of a project. */
  id(now: number): string {
    const isLater = now > this.#time
    if (!isLater && this.#drawn + 1 < drawnBelow) this.#drawn++
    else {
      this.#time = isLater ? now : this.#time + 1
      this.#drawn = Math.floor(this.number() * drawnBelow)
    }
    return inLetters(this.#time, 9) + inLetters(this.#drawn, 5)
  }
}

/** Without characters that are taken for digits; in the order of their codes, so that ids sort by time. */
const characters = '0123456789abcdefghjkmnpqrstvwxyz'

const drawnBelow = 32 ** 5

function inLetters(number: number, length: number): string {
  let text = ''
  for (let rest = number; text.length < length; rest = Math.floor(rest / 32))
    text = characters.charAt(rest % 32) + text
  return text
}
