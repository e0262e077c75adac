import type { Schema } from '../../flow/schema.ts'
import type { Plain } from './outcome.ts'

/** A schema that a person's slip does not fit. */
export const anyNumber: Schema<number> = {
  '~standard': {
    version: 1,
    vendor: 'simulation',
    validate: (given) =>
      typeof given === 'number' ? { value: given } : { issues: [{ message: 'it is no number' }] },
  },
}

/** What a run sends: from where in its program, and what is known there. */
export interface Letter {
  readonly at: string
  readonly value: Plain
}

/** Of what comes from outside, and of what runs send; not of what is sent by mistake. */
export const aMessage: Schema<number | Letter> = {
  '~standard': {
    version: 1,
    vendor: 'simulation',
    validate: (given) =>
      isMessage(given) ? { value: given } : { issues: [{ message: 'it is no message' }] },
  },
}

export const isMessage = (given: unknown): given is number | Letter =>
  typeof given === 'number' || (typeof given === 'object' && given !== null && 'at' in given)
