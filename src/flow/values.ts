import { AlmanacError } from '../model/errors.ts'
import { DirRef, FileRef, UrlRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import { mapRefs } from '../model/value-refs.ts'
import { requireCaller } from './ambient.ts'
import { toArgs } from './arguments.ts'
import { type DirFilter, type Future, filterBy, view } from './future.ts'

/** A file, known by its base name and content. In a task, `path` is where to read it. */
export class File extends FileRef {
  /** absolute path to read it at; only in a task */
  get path(): string {
    if (this.at === undefined) throw new AlmanacError('ALM_OUTSIDE', { what: `the path of ${this.name}` })
    return this.at
  }

  static from(ref: FileRef): File {
    return new File(ref.name, ref.digest, ref.size, ref.executable, ref.at)
  }
}

/** A file that stays with the server that keeps it. In a task, `href` is the URL to read it at. */
export class Url extends UrlRef {
  /** the URL, which may be signed; only in a task */
  get href(): string {
    if (this.at === undefined) throw new AlmanacError('ALM_OUTSIDE', { what: `the URL of ${this.place}` })
    return this.at
  }

  static from({ place, size, version, pinned, object, at }: UrlRef): Url {
    return new Url(place, size, version, pinned, object, at)
  }
}

/** A directory, known by its content. In a task, `path` is where to read it. */
export class Dir extends DirRef {
  /** absolute path to read it at; only in a task */
  get path(): string {
    if (this.at === undefined) throw new AlmanacError('ALM_OUTSIDE', { what: 'the path of a directory' })
    return this.at
  }

  /** The entries for which `keep` says yes: to the value that a map over the same entries gave, or to their path. */
  declare readonly filter: DirFilter<Dir>

  /** The values of a map's output, in order of entry path. */
  all(): Future<unknown[]> {
    return view(requireCaller('all'), 'all', { of: this })
  }

  static from(ref: DirRef): Dir {
    return new Dir(ref.digest, ref.entries, ref.size, ref.at)
  }
}

// a property by type, so that a directory and its future can be filtered without asking which of the two it is
Object.defineProperty(Dir.prototype, 'filter', {
  value(this: Dir, ...args: unknown[]) {
    return filterBy(requireCaller('filter'), this, args)
  },
})

/** A directory made of files and directories that exist, by name: nothing is copied. */
export function dirOf(entries: { readonly [path: string]: unknown }): Future<Dir> {
  return view(requireCaller('dir.of'), 'dir', { entries: toArgs(entries) })
}

/** References as the author sees them. */
export const authorValue = (ref: Value): Value =>
  ref instanceof UrlRef && !(ref instanceof Url) ? Url.from(ref) : storedValue(ref)

/** A value whose files and directories have the methods that authors use; a copy, so that what they change is theirs. */
export const authorValues = (value: Value): Value =>
  typeof value === 'object' && value !== null ? mapRefs(value, authorValue) : value

const storedValue = (ref: Value): Value =>
  ref instanceof FileRef
    ? ref instanceof File
      ? ref
      : File.from(ref)
    : ref instanceof DirRef
      ? ref instanceof Dir
        ? ref
        : Dir.from(ref)
      : ref
