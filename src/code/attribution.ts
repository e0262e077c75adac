import { decode } from '@jridgewell/sourcemap-codec'
import type { Digest } from '../model/refs.ts'
import type { Range } from './definitions.ts'
import { Lines, lastAtMost } from './edits.ts'
import type { ModuleCode } from './module-code.ts'
import { sha256 } from './sha.ts'

/** Which statements of the author's files a bundle is made of, by its source map. */
export interface Attribution {
  /** digest of what each statement came to, by `file:name` */
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

export function attribute(
  text: string,
  mappings: string,
  sources: readonly (CountedFile | undefined)[],
): Attribution {
  const texts = new Map<string, string>()
  const files = sources.map((source) => (source === undefined ? undefined : new Placed(source)))
  for (const { piece, source, line, column } of pieces(text, mappings)) {
    const file = files[source]
    if (file === undefined) continue
    const name = file.take(line, column)
    if (name !== undefined) texts.set(name, (texts.get(name) ?? '') + piece)
  }
  return {
    parts: new Map([...texts].map(([name, own]) => [name, sha256(withoutSeams(own))])),
    reaches: (path, range) => files.some((file) => file?.path === path && file.reaches(range)),
  }
}

/** Without what joins it to its neighbours: declarations are merged, and the last is followed by the exports. */
const withoutSeams = (text: string): string =>
  text
    .replace(/^(?:var|let|const) /, '')
    .replace(/;?export\{[^}]*\};\s*$/, '')
    .replace(/[,;\s]+$/, '')

interface Piece {
  readonly piece: string
  readonly source: number
  /** both from 0 */
  readonly line: number
  readonly column: number
}

/** The text, cut where the map says that another place of a source begins. */
function* pieces(text: string, mappings: string): Iterable<Piece> {
  const lines = text.split('\n')
  let last: Omit<Piece, 'piece'> | undefined
  for (const [i, segments] of decode(mappings).entries()) {
    const content = lines[i] ?? ''
    let done = 0
    for (const segment of segments) {
      if (last !== undefined && segment[0] > done) yield { ...last, piece: content.slice(done, segment[0]) }
      done = segment[0]
      last = segment.length === 1 ? undefined : { source: segment[1], line: segment[2], column: segment[3] }
    }
    if (last !== undefined && content.length > done) yield { ...last, piece: content.slice(done) }
  }
}

class Placed {
  readonly path: string
  readonly #shown: string
  readonly #code: ModuleCode | undefined
  readonly #lines: Lines | undefined
  readonly #starts: readonly number[]
  readonly #hits: number[] = []
  #sorted = false

  constructor({ path, shown, code }: CountedFile) {
    this.path = path
    this.#shown = shown
    this.#code = code
    this.#lines = code === undefined ? undefined : new Lines(code.toCount.text)
    this.#starts = code?.statements.map(({ start }) => code.toCount.moved(start)) ?? []
  }

  /** Name of the part that a place belongs to; undefined for imports. */
  take(line: number, column: number): string | undefined {
    const offset = this.#lines?.offsetOf(line + 1, column + 1)
    if (offset === undefined) return this.#shown
    this.#hits.push(offset)
    const name = this.#code?.statements[lastAtMost(this.#starts, offset)]?.name
    return name === '' ? undefined : `${this.#shown}:${name ?? 'top level'}`
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
