import type { Path } from './path.ts'

/**
 * References: values that stand for bytes kept elsewhere. They travel inside arguments and results,
 * count by content in every fingerprint, and are written by `codec.ts`.
 */

/** SHA-256, 64 lower-case hexadecimal digits. */
export type Digest = string

/** One file: its base name and content. */
export class FileRef {
  readonly name: string
  readonly digest: Digest
  /** bytes */
  readonly size: number
  readonly executable: boolean
  /** where it lies when it is external (never copied, never linked), or where it was staged for a task */
  readonly at: string | undefined

  constructor(name: string, digest: Digest, size: number, executable = false, at?: string) {
    this.name = name
    this.digest = digest
    this.size = size
    this.executable = executable
    this.at = at
  }
}

/** What the journal keeps of a large value: the blob that holds it as JSON. Only ever a whole value, never a part of one. */
export class SpilledRef extends FileRef {
  /** The value is plain (`plainText`), so that the digest is that of its canonical text as well. */
  readonly plain: SpilledKind | undefined

  constructor(digest: Digest, size: number, plain?: SpilledKind) {
    super('value.json', digest, size)
    this.plain = plain
  }
}

/** What is plain: a text, or an object or list. */
export type SpilledKind = 'text' | 'object'

/** One directory: the digest of its tree. */
export class DirRef {
  /** digest of the root listing */
  readonly digest: Digest
  /** files below it, at any depth */
  readonly entries: number
  /** bytes of all files below it */
  readonly size: number
  /** as in `FileRef` */
  readonly at: string | undefined

  constructor(digest: Digest, entries: number, size: number, at?: string) {
    this.digest = digest
    this.entries = entries
    this.size = size
    this.at = at
  }
}

/** An object of a bucket, and how that is spoken to. */
export interface UrlObject {
  readonly bucket: string
  readonly key: string
  readonly endpoint?: string
  readonly region?: string
  readonly pathStyle?: boolean
  /** everybody may read it: its URL is not signed */
  readonly anonymous?: boolean
}

/** A file that stays with the server that keeps it: it counts by where it lies, its version and its size. */
export class UrlRef {
  /** what it is known by, without anything that lets one in: `https://host/a.nc`, `s3://bucket/key` */
  readonly place: string
  /** bytes */
  readonly size: number
  /** by which its bytes are told from others: the bucket's version id, or a strong `ETag`; undefined: they never change */
  readonly version: string | undefined
  /** the bucket keeps this version, and gives it by its id */
  readonly pinned: boolean
  /** of a bucket; undefined: the place is its URL */
  readonly object: UrlObject | undefined
  /** the URL to read it at, with what lets one in: only in a task, and never written anywhere */
  readonly at: string | undefined

  constructor(
    place: string,
    size: number,
    version: string | undefined,
    pinned: boolean,
    object?: UrlObject,
    at?: string,
  ) {
    this.place = place
    this.size = size
    this.version = version
    this.pinned = pinned
    this.object = object
    this.at = at
  }
}

/** A value that only lives in the memory of a worker; it counts by the call that made it. */
export class HeldRef {
  /** key of the call that made it, and the path of the field in its result */
  readonly key: string
  readonly path: Path
  /** what it is, for people: `float64[1000,1000]` */
  readonly type: string
  /** bytes */
  readonly size: number
  /** the worker that holds it and its number there: the executor's own words */
  readonly holder: string
  readonly handle: number
  /** what the executor wrote of it, if that is kept: it can be had from there when its worker is gone */
  readonly copy: { readonly digest: Digest; readonly size: number } | undefined

  constructor(
    key: string,
    path: Path,
    type: string,
    size: number,
    holder: string,
    handle: number,
    copy?: { readonly digest: Digest; readonly size: number },
  ) {
    this.key = key
    this.path = path
    this.type = type
    this.size = size
    this.holder = holder
    this.handle = handle
    this.copy = copy
  }
}

/** Stands for (a field of) the outcome of a call that may not have ended. Only in arguments, never in a result. */
export class FutureRef {
  readonly call: number
  readonly path: Path

  constructor(call: number, path: Path = []) {
    this.call = call
    this.path = path
  }
}

export type Ref = FileRef | DirRef | UrlRef | HeldRef | FutureRef

export const isRef = (value: unknown): value is Ref =>
  value instanceof FileRef ||
  value instanceof DirRef ||
  value instanceof UrlRef ||
  value instanceof HeldRef ||
  value instanceof FutureRef
