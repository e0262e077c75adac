import type { Note, NoteType } from '../../model/records.ts'
import type { Records } from '../../ports/journal.ts'

type Said = Pick<Note, 'name' | 'bodyWire'> & { readonly type: NoteType }

/** Of one type and name. */
interface Named {
  /** how often each was said, less what this life has said of it */
  readonly left: Map<string, number>
  /** the newest that is kept */
  newest: string
  /** what this life has said last; absent where it has said nothing */
  last?: string
}

const page = 1000
const ofFunctions: ReadonlySet<string> = new Set<NoteType>(['event', 'metric', 'artifact', 'progress'])

/**
 * What the functions of a run have said in its earlier lives: taken through what they did before they say it again.
 *
 * S1 what was said before is not kept twice, and what is said for the first time is kept, whichever calls were executed
 *    again in between.
 * S2 when the run succeeds the newest of a name is what this life said last.
 */
export class EarlierNotes {
  readonly #names = new Map<string, Named>()

  static async read(records: Pick<Records, 'notes'>, run: string): Promise<EarlierNotes> {
    const said = new EarlierNotes()
    for (let after = 0; ; ) {
      const notes = await records.notes(run, { ofCalls: false, after, limit: page })
      for (const note of notes) if (ofFunctions.has(note.type)) said.#add(note)
      after = notes.at(-1)?.seq ?? after
      if (notes.length < page) return said
    }
  }

  /** Is it said for the first time? */
  isNew({ type, name, bodyWire }: Said): boolean {
    const named = this.#names.get(keyOf(type, name))
    if (named === undefined) return true
    named.last = bodyWire
    const left = named.left.get(bodyWire) ?? 0
    if (left === 0) named.newest = bodyWire
    else named.left.set(bodyWire, left - 1)
    return left === 0
  }

  /** Where an earlier life said something else after it: what this life said last of that name. */
  *overtaken(): Iterable<Said> {
    for (const [key, { newest, last }] of this.#names) {
      const [type, name] = JSON.parse(key) as [NoteType, string]
      if (last !== undefined && last !== newest) yield { type, name, bodyWire: last }
    }
  }

  #add({ type, name, bodyWire }: Note): void {
    const key = keyOf(type, name)
    const named = this.#names.get(key) ?? { left: new Map<string, number>(), newest: bodyWire }
    this.#names.set(key, named)
    named.newest = bodyWire
    named.left.set(bodyWire, (named.left.get(bodyWire) ?? 0) + 1)
  }
}

const keyOf = (type: string, name: string): string => JSON.stringify([type, name])
