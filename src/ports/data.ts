import type { Digest, DirRef, FileRef } from '../model/refs.ts'
import type { TreeChange, TreeEntry } from '../model/tree.ts'

/** Content-addressed bytes. */
export interface BlobStore {
  /** Keeps bytes; the same bytes are the same blob. @throws ALM_STORE_FULL, ALM_STORE_READ_ONLY */
  put(bytes: Uint8Array): Promise<Digest>
  /** @throws ALM_BLOB_MISSING, ALM_BLOB_DAMAGED (digest disagrees) */
  get(digest: Digest): Promise<Uint8Array>
  has(digest: Digest): Promise<boolean>
  /** Moves a file of our own into the store, where the file system allows, else copies; returns its digest and size. */
  adopt(path: string): Promise<{ readonly digest: Digest; readonly size: number }>
  /** All that was put is on disk when it resolves. */
  sync(): Promise<void>
  /** Digests with size and age, for collection and `doctor`. */
  list(): AsyncIterable<{ readonly digest: Digest; readonly size: number; readonly changedAt: number }>
  remove(digests: readonly Digest[]): Promise<void>
}

/**
 * Directories and files as values.
 *
 * D1 a `DirRef` or `FileRef` never changes what it stands for; a path given out is read only.
 * D2 the digest of a directory depends on names, kinds, executable bits and contents only.
 * D3 a file that changed between scan and use is named in an error, never used silently.
 */
export interface DataPlane {
  /** Scans a file or directory that lies elsewhere; it is left in place. @throws ALM_INPUT_MISSING, ALM_INPUT_CHANGED, ALM_PATH_REFUSED */
  scan(path: string, options?: ScanOptions): Promise<FileRef | DirRef>
  /** A local, read-only path for it, the same for the same content: the external one, or one in the store. */
  open(ref: FileRef | DirRef): Promise<string>
  /** Throws ALM_INPUT_CHANGED, naming the file, unless what `open` gave for these is as it was: run before and after an attempt. */
  verify(refs: readonly (FileRef | DirRef)[]): Promise<void>
  /** The attempt for which these were opened has ended: where room is short, they may go. */
  release?(refs: readonly (FileRef | DirRef)[]): Promise<void>
  /**
   * Somebody reads it from now on: no collection takes it, and no retention its version, in whichever process and
   * however long, until what this gives is called, or this process ends.
   */
  pin(ref: FileRef | DirRef): Promise<() => void>
  /** What is pinned at the moment, by all processes. */
  pinned(): Promise<ReadonlySet<Digest>>
  /** Directories of one attempt. `outputs` paths do not exist yet, their parents do. */
  workspace(name: string): Promise<Workspace>
  /** What was left at an output path, moved into the store. @throws ALM_OUTPUT_MISSING, ALM_PATH_REFUSED (links out, devices, …) */
  collectFile(path: string): Promise<FileRef>
  collectDir(path: string): Promise<DirRef>
  /** Takes a file or directory that its owner gives away; it goes from its place by `remove`. @throws ALM_INPUT_MISSING, ALM_PATH_REFUSED */
  moveIn(path: string): Promise<Moved>
  /** Entries of a directory in order of path. */
  entries(dir: DirRef): AsyncIterable<TreeEntry>
  /** The entry as a file; entries of an external directory keep where they lie. */
  fileAt(dir: DirRef, path: string): Promise<FileRef | undefined>
  dirAt(dir: DirRef, path: string): Promise<DirRef | undefined>
  /** A directory of existing files and directories, nothing is copied. */
  assemble(entries: Iterable<readonly [path: string, ref: FileRef | DirRef]>): Promise<DirRef>
  /** `base` with entries replaced or added (a ref) and removed (undefined); the cost follows the change. */
  edit(base: DirRef, changes: ReadonlyMap<string, FileRef | DirRef | undefined>): Promise<DirRef>
  /** What differs, in order of path; the cost follows the difference. */
  diff(before: DirRef, after: DirRef): AsyncIterable<TreeChange>
  readFile(ref: FileRef): Promise<Uint8Array>
  /** Is its content in this machine's store, whole as far as can be seen, so that `readNow` gives it? */
  hasNow(ref: FileRef): boolean
  /** Content of the store, at once: for values that somebody asks for in the middle of a turn. @throws ALM_BLOB_MISSING, ALM_BLOB_DAMAGED */
  readNow(ref: FileRef): Uint8Array
  writeFile(name: string, bytes: Uint8Array): Promise<FileRef>
  /** Are all bytes of it there (external ones: unchanged)? */
  available(ref: FileRef | DirRef): Promise<boolean>
  /**
   * All of its content is in the store afterwards, wherever it lies: copied, never linked. What is in `since` as well is
   * known to be there. Gives the same without the place. @throws ALM_INPUT_CHANGED, ALM_BLOB_MISSING
   */
  keep(dir: DirRef, since?: DirRef): Promise<DirRef>
  /** Could something be shown at that place? @throws ALM_PATH_REFUSED, ALM_TARGET_EXISTS */
  checkShown(environment: string, name: string): Promise<void>
  /** Digest of the directory that is shown there. */
  shown(environment: string, name: string): Promise<Digest | undefined>
  /** Shows nothing there any more. */
  hide(environment: string, name: string): Promise<void>
  /** Shows it as plain read-only files at `data/<environment>/<name>`, switched at once. Returns the absolute path. */
  show(environment: string, name: string, ref: FileRef | DirRef): Promise<string>
  /** Writes it to a path of the user's. @throws ALM_TARGET_EXISTS */
  writeTo(ref: FileRef | DirRef, path: string): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** What its owner gives away, in the store. */
export interface Moved {
  readonly ref: FileRef | DirRef
  /** Removes what was taken, and says what stays: files that came or changed since, and what we may not remove. */
  remove(): Promise<readonly string[]>
  /** Where nothing came of it, files are as they were again; the error to throw then, which tells of those that are not. */
  undo(error: unknown): Promise<unknown>
}

export interface ScanOptions {
  /** globs on paths within the directory; default: everything */
  readonly include?: readonly string[]
  /** globs; default: `*.part`, `*.tmp`, `*.idx`, `.DS_Store` and the like */
  readonly exclude?: readonly string[]
  /** files that changed less than so many ms ago are left out: more of them may be to come */
  readonly settleMs?: number
  /** is told of each file that was left out for that */
  readonly onLeftOut?: (path: string) => void
  /** copies of the files go into the store as they are read; see `keep` */
  readonly keep?: boolean
}

export interface Workspace {
  readonly scratch: string
  /** path for a declared output */
  output(name: string): string
  remove(): Promise<void>
}
