import { decode } from '@jridgewell/sourcemap-codec'
import type { Digest } from '../model/refs.ts'
import type { Range } from './definitions.ts'
import { Lines, lastAtMost } from './edits.ts'
import type { ModuleCode } from './module-code.ts'
import { sha256, sha256All } from './sha256.ts'

/**
 * The text of a bundle, taken apart by its source map into the author's statements.
 *
 * B1 each character of the text counts, but for what joins statements: they are merged as they happen to stand.
 * B2 statements that do nothing when they are executed count as a set: their order is that of the imports.
 */
export interface BundleText {
  readonly digest: Digest
  /** digest of what each of the author's statements came to, by `file:name` */
  readonly parts: ReadonlyMap<string, Digest>
  /** is any of this range of a file's original text in the bundle? */
  reaches(file: string, range: Range): boolean
}

/** A file of the author's that went into bundles; `code` is undefined for JSON and text. */
export interface CountedFile {
  readonly path: string
  readonly shown: string
  readonly code: ModuleCode | undefined
}

export function bundleText(
  text: string,
  mappings: string,
  sources: readonly (CountedFile | undefined)[],
): BundleText {
  const exported = /export\{[^}]*\};\s*$/.exec(text)
  const body = text.slice(0, exported?.index)
  const files = sources.map((source) => (source === undefined ? undefined : new PlacedFile(source)))
  const inOrder: string[] = [exported?.[0] ?? '']
  const inert: string[] = []
  const named = new Map<string, string>()
  for (const { content, at } of statements(body, mappings, files)) {
    const own = withoutSeams(content)
    if (at?.inert === true) inert.push(own)
    else inOrder.push(own)
    if (at !== undefined && at.name !== '') named.set(at.name, (named.get(at.name) ?? '') + own)
  }
  return {
    digest: sha256All([JSON.stringify(inOrder.map(withoutPaths)), ...inert.map(withoutPaths).sort()]),
    parts: new Map([...named].map(([name, own]) => [name, sha256(own)])),
    reaches: (path, range) => files.some((file) => file?.path === path && file.reaches(range)),
  }
}

const withoutSeams = (text: string): string => text.replace(/^(?:var|let|const) /, '').replace(/[,;\s]+$/, '')

/** Wrappers of CommonJS and of modules that are imported when needed name their file, which does not count. */
const withoutPaths = (text: string): string =>
  text.replace(/\b(__esm|__commonJS)\(\{"(?:[^"\\]|\\.)*"\(/g, '$1({"_"(')

/** A statement of the author's. */
interface Statement {
  /** empty where it is no part of its own */
  readonly name: string
  readonly inert: boolean
}

/** The text, cut where another statement begins; without one for what the bundler adds. */
function* statements(
  text: string,
  mappings: string,
  files: readonly (PlacedFile | undefined)[],
): Iterable<{ readonly content: string; readonly at: Statement | undefined }> {
  let at: Statement | undefined
  let content = ''
  for (const { piece, source, line, column } of pieces(text, mappings)) {
    const next = source === undefined ? undefined : files[source]?.take(line, column)
    if (next !== at && content !== '') {
      yield { content, at }
      content = ''
    }
    at = next
    content += piece
  }
  if (content !== '') yield { content, at }
}

interface Piece {
  readonly piece: string
  readonly source: number | undefined
  /** both from 0 */
  readonly line: number
  readonly column: number
}

/** The text, cut where the map says that another place of a source begins. */
function* pieces(text: string, mappings: string): Iterable<Piece> {
  let last: Omit<Piece, 'piece'> = { source: undefined, line: 0, column: 0 }
  const segments = decode(mappings)
  const lines = text.split('\n')
  for (const [i, line] of lines.entries()) {
    const content = i + 1 < lines.length ? `${line}\n` : line
    let done = 0
    for (const segment of segments[i] ?? []) {
      if (segment[0] > done) yield { ...last, piece: content.slice(done, segment[0]) }
      done = Math.max(done, segment[0])
      last =
        segment.length === 1
          ? { source: undefined, line: 0, column: 0 }
          : { source: segment[1], line: segment[2], column: segment[3] }
    }
    if (content.length > done) yield { ...last, piece: content.slice(done) }
  }
}

class PlacedFile {
  readonly path: string
  readonly #lines: Lines | undefined
  readonly #code: ModuleCode | undefined
  readonly #starts: readonly number[]
  readonly #statements: readonly Statement[]
  readonly #whole: Statement
  readonly #hits: number[] = []
  #sorted = false

  constructor({ path, shown, code }: CountedFile) {
    this.path = path
    this.#code = code
    this.#lines = code === undefined ? undefined : new Lines(code.toCount.text)
    this.#starts = code?.statements.map(({ start }) => code.toCount.moved(start)) ?? []
    this.#statements =
      code?.statements.map(({ name, inert }) => ({ name: name === '' ? '' : `${shown}:${name}`, inert })) ??
      []
    // JSON does nothing; a module that could not be looked at may do anything
    this.#whole = { name: shown, inert: code === undefined }
  }

  /** The statement at a place, both from 0. */
  take(line: number, column: number): Statement {
    const offset = this.#lines?.offsetOf(line + 1, column + 1)
    if (offset === undefined) return this.#whole
    this.#hits.push(offset)
    return this.#statements[lastAtMost(this.#starts, offset)] ?? this.#whole
  }

  reaches({ start, end }: Range): boolean {
    if (!this.#sorted) this.#hits.sort((a, b) => a - b)
    this.#sorted = true
    const { toCount } = this.#code ?? {}
    if (toCount === undefined) return false
    const last = lastAtMost(this.#hits, toCount.moved(end) - 1)
    return last >= 0 && (this.#hits[last] as number) >= toCount.moved(start)
  }
}
