import type { Digest } from '../../../model/refs.ts'
import { callsPerRun } from './migrations.ts'

/** How fields become columns, and columns fields. */

/** Characters of a digest. */
export const digestLength = 64

/** Bytes of one. */
export const digestBytes = 32

/** A digest as it is kept: its bytes, half as long as its text. What is no digest stays a text. */
export type DigestColumn = Uint8Array | string

export function digestColumn(digest: Digest): DigestColumn {
  const bytes = Buffer.from(digest, 'hex')
  return bytes.length === 32 && digest.length === digestLength ? bytes : digest
}

/** SQL for the text of a digest that was kept. */
export const digestText = (column: string): string =>
  `CASE typeof(${column}) WHEN 'blob' THEN lower(hex(${column})) ELSE ${column} END`

export const rowId = (run: number, call: number): number => run * callsPerRun + call

export const callOf = (id: number): number => id % callsPerRun

export const runOf = (id: number): number => Math.floor(id / callsPerRun)

/** First and last row id that calls of a run may have. */
export const rowRange = (run: number): readonly [first: number, last: number] => [
  rowId(run, 0),
  rowId(run + 1, 0) - 1,
]

/** The fields that are there. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], null | undefined> } {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields))
    if (value !== null && value !== undefined) kept[name] = value
  return kept as { [K in keyof T]?: Exclude<T[K], null | undefined> }
}

export const optionalJson = (value: unknown): string | null =>
  value === undefined ? null : JSON.stringify(value)
