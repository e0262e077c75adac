import { AlmanacError } from '../model/errors.ts'

/** What is spelt wrong in a definition is said, in plain JavaScript as well: it would be left out in silence. */

/** Names of options, each once: the type asks for all of them. */
export type OptionNames<O> = { readonly [K in keyof O]-?: true }

/** @throws ALM_OPTION_REFUSED naming the unknown option and the one that it is most like */
export function checkNames(task: string, given: object, known: object, within = ''): void {
  const names = Object.keys(known)
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue
    const like = nearest(name, names)
    const why =
      like === undefined
        ? `there is none of that name; there are ${names.toSorted().join(', ')}`
        : `there is none of that name, ${within}${like} may be meant`
    throw new AlmanacError('ALM_OPTION_REFUSED', { option: `${within}${name}`, task, why })
  }
}

/** The name that is most like it, if one is: a character in three may differ. */
function nearest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(Math.min(name.length, 64) / 3)) + 1
  for (const other of names) {
    const apart = distance(name.slice(0, 64).toLowerCase(), other.toLowerCase())
    if (apart >= least) continue
    least = apart
    best = other
  }
  return best
}

/** Characters to add, remove, change, or swap with the next, to make one of the other. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwapped ? (before[j - 2] as number) + 1 : changed
      next.push(Math.min(changed, swapped, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    before = row
    row = next
  }
  return row[b.length] as number
}
