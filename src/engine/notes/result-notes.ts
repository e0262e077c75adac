import { decode } from '../../model/codec.ts'
import type { Shown } from '../../model/records.ts'

/** of what goes with one result, or with that of a map: characters, and names */
const mostCharacters = 4 << 20
const mostNames = 10_000

/**
 * Artifacts and metrics that belong to a result, as records keep them, in the order in which they were shown.
 *
 * S1 of each name the newest; what is more than the bounds is left out, and counted.
 */
export class ResultNotes {
  /** how many were left out */
  left = 0
  readonly #wires = new Map<string, string>()
  #characters = 0

  /** False where it is too much. */
  add({ type, name, entry }: Omit<Shown, 'body'>, bodyWire: string): boolean {
    const of = entry === undefined ? '' : `,"entry":${JSON.stringify(entry)}`
    return this.#put(
      `${type} ${name}`,
      `{"type":"${type}","name":${JSON.stringify(name)}${of},"body":${bodyWire}}`,
    )
  }

  /** Those of an entry of a map. */
  addAll(things: ResultNotes, entry: string): void {
    const of = `{"entry":${JSON.stringify(entry)},`
    for (const [name, wire] of things.#wires) this.#put(name, `${of}${wire.slice(1)}`)
  }

  /** All of them; undefined where there are none. */
  get wire(): string | undefined {
    return this.#wires.size === 0 ? undefined : `[${[...this.#wires.values()].join(',')}]`
  }

  #put(name: string, wire: string): boolean {
    const before = this.#wires.get(name)
    const characters = this.#characters - (before?.length ?? 0) + wire.length
    if (characters > mostCharacters || (before === undefined && this.#wires.size === mostNames)) {
      this.left++
      return false
    }
    // the newest comes last
    this.#wires.delete(name)
    this.#wires.set(name, wire)
    this.#characters = characters
    return true
  }
}

export const tooMuchShown = `more than ${mostCharacters >> 20} MiB, or ${mostNames} names, with one result`

/** What records keep, as it was shown. */
export const shownIn = (wire: string | undefined): readonly Shown[] =>
  wire === undefined ? [] : (decode(wire) as unknown as readonly Shown[])
