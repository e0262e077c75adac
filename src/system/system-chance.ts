import { randomBytes } from 'node:crypto'
import type { Chance } from '../ports/clock.ts'

/** Without letters that are taken for digits; in the order of their codes, so that ids sort by time. */
const letters = '0123456789abcdefghjkmnpqrstvwxyz'

/** The machine's chance. */
export const systemChance: Chance = {
  number: () => randomBytes(4).readUInt32BE() / 2 ** 32,

  /** 9 letters of time (ms), 5 of chance: short enough to type, unique among the runs of a project. */
  id(now) {
    let time = ''
    for (let rest = now, i = 0; i < 9; i++, rest = Math.floor(rest / 32))
      time = letters.charAt(rest % 32) + time
    return time + [...randomBytes(5)].map((byte) => letters.charAt(byte % 32)).join('')
  },
}
