/** An option of a script: how it reads in the help, and what is made of the text that is given for it. */
export interface Option<Value = unknown> {
  /** stands for its value in the help; an option without is a flag */
  readonly shown?: string
  /** what it does */
  readonly is: string
  /** undefined: it was not given; throws what the option is, of which its name makes a sentence */
  readonly read: (given: string | undefined) => Value
}

export const flag = (is: string): Option<boolean> => ({ is, read: (given) => given !== undefined })

export const text = (shown: string, is: string): Option<string | undefined> => ({
  shown,
  is,
  read: (given) => given,
})

export const oneOf = <Name extends string>(names: readonly Name[], is: string): Option<Name | undefined> => ({
  shown: names.join('|'),
  is,
  read: (given) => (given === undefined ? undefined : named(names, given, 'one of')),
})

export const someOf = <Name extends string>(
  names: readonly Name[],
  standard: readonly Name[],
  is: string,
): Option<readonly Name[]> => ({
  shown: standard.join(','),
  is: `${is} ${names.join(', ')}`,
  read: (given) => given?.split(',').map((one) => named(names, one, 'some of')) ?? standard,
})

/** A whole number from 1. */
export function whole(is: string, standard: number): Option<number>
export function whole(is: string): Option<number | undefined>
export function whole(is: string, standard?: number): Option<number | undefined> {
  return {
    shown: String(standard ?? 'N'),
    is,
    read: (given) => {
      const number = given === undefined ? standard : numberOf(given)
      if (number !== undefined && !(Number.isSafeInteger(number) && number >= 1))
        throw new Error(`is a whole number from 1, not ${given}`)
      return number
    },
  }
}

/** A number from 0. */
export const amount = (is: string, standard: number): Option<number> => ({
  shown: String(standard),
  is,
  read: (given) => {
    const number = given === undefined ? standard : numberOf(given)
    if (!(Number.isFinite(number) && number >= 0)) throw new Error(`is a number from 0, not ${given}`)
    return number
  },
})

/** An empty text is no number, though `Number` says 0. */
const numberOf = (given: string): number => (given.trim() === '' ? Number.NaN : Number(given))

export function named<Name extends string>(names: readonly Name[], given: string, which: string): Name {
  const found = names.find((name) => name === given)
  if (found === undefined) throw new Error(`is ${which} ${names.join(', ')}, not ${given}`)
  return found
}
