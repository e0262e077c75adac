import type { DirRef, FileRef, FutureRef, HeldRef, UrlRef } from './refs.ts'

/** What may be an argument or a result: JSON, what JSON folds (NaN, -0, dates, …), and references. */
export type Value =
  | null
  | undefined
  | boolean
  | number
  | string
  | bigint
  | Date
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value }
  | FileRef
  | DirRef
  | UrlRef
  | HeldRef
  | FutureRef
