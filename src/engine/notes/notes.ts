import { decode, encode } from '../../model/codec.ts'
import type { Note, NoteType, Shown } from '../../model/records.ts'
import type { AttemptNote } from '../../ports/executor.ts'
import type { Recorder } from '../recorder.ts'
import type { EnginePorts } from '../settings.ts'
import type { EarlierNotes } from './earlier-notes.ts'
import type { Redaction } from './redaction.ts'
import { ResultNotes, tooMuchShown } from './result-notes.ts'
import { imagePath, withImage } from './shown-image.ts'

/** of one note; what is more is for files */
const mostLetters = 2 ** 20

/** Who is told. */
interface Told {
  readonly recorder: Pick<Recorder, 'add'>
  readonly listener: { noted?(note: Note): void }
  readonly ports: Pick<EnginePorts, 'clock' | 'data'>
}

interface Said {
  readonly type: NoteType
  readonly name: string
  readonly body: AttemptNote['body']
}

interface OfAttempt {
  readonly call: number
  readonly attempt: number
}

/**
 * What is said of a run and its calls, to be shown: it is kept, and told to whoever listens. Owns what calls under way
 * have shown so far, which goes with their results.
 */
export class Notes {
  readonly #run: Told
  readonly #before: EarlierNotes | undefined
  /** by call, of its newest attempt: few calls show anything */
  readonly #shown = new Map<number, { readonly attempt: number; readonly things: ResultNotes }>()
  /** by call, the newest image that is being taken in, or what waits for it */
  readonly #taking = new Map<number, Promise<void>>()

  constructor(run: Told, before?: EarlierNotes) {
    this.#run = run
    this.#before = before
  }

  /** What a function of the run says. */
  saidByFunction(note: Said): void {
    const { type, name, body } = note
    if (this.#before?.isNew({ type, name, bodyWire: encode(body) }) === false) return
    this.add(note)
  }

  /** The run has succeeded: what is newest of a name is to be what its function said last. */
  succeeded(): void {
    for (const { type, name, bodyWire } of this.#before?.overtaken() ?? [])
      this.add({ type, name, body: decode(bodyWire) })
  }

  /**
   * What an attempt says, in its order; where it shows an image of its own, that is taken into the store first, and what it
   * says after that waits.
   */
  said(note: AttemptNote, redaction: Redaction | undefined, of: OfAttempt): Promise<void> | undefined {
    const told = redaction?.note(note) ?? note
    const image = imagePath(note)
    const before = this.#taking.get(of.call)
    if (image === undefined && before === undefined) return void this.#saidBy(told, of)
    const notes = image === undefined ? [told] : withImage(told, image, this.#run.ports.data)
    const taking = Promise.all([notes, before]).then(([known]) => {
      if (this.#taking.get(of.call) === taking) this.#taking.delete(of.call)
      for (const one of known) this.#saidBy(one, of)
    })
    this.#taking.set(of.call, taking)
    return taking
  }

  /** Returns its body as it is kept; undefined of what is too much for a note, and that is said instead. */
  add(note: Said, of: Partial<OfAttempt> = {}): string | undefined {
    const { recorder, listener, ports } = this.#run
    const { type, name } = note
    const bodyWire = encode(note.body)
    if (bodyWire.length > mostLetters) {
      const body = `the ${type} is not kept: it is more than ${mostLetters >> 20} MiB; leave it as a file`
      this.add({ type: 'warning', name, body }, of)
      return undefined
    }
    const kept = { kind: 'note', ...of, type, name, bodyWire, at: ports.clock.now() } as const
    recorder.add(kept)
    listener.noted?.(kept)
    return bodyWire
  }

  /** A result was taken, or entries were carried over: what was shown when it was made is shown again. */
  again(call: number, shown: readonly Shown[]): void {
    if (shown.length === 0) return
    const things = new ResultNotes()
    for (const { type, name, body, entry } of shown) {
      const bodyWire = this.add({ type, name, body }, { call })
      if (bodyWire !== undefined) things.add({ type, name, ...(entry !== undefined && { entry }) }, bodyWire)
    }
    this.#shown.set(call, { attempt: 0, things })
  }

  shownBy(call: number): ResultNotes | undefined {
    return this.#shown.get(call)?.things
  }

  /** The call has ended, and what it showed is where it belongs. */
  forget(call: number): void {
    if (this.#shown.size > 0) this.#shown.delete(call)
  }

  #saidBy(note: AttemptNote, of: OfAttempt): void {
    const bodyWire = this.add(note, of)
    const { type, name } = note
    if (bodyWire === undefined || (type !== 'artifact' && type !== 'metric')) return
    const { call, attempt } = of
    const before = this.#shown.get(call)
    const { things } = before?.attempt === attempt ? before : { things: new ResultNotes() }
    if (before?.things !== things) this.#shown.set(call, { attempt, things })
    if (things.add({ type, name }, bodyWire) || things.left > 1) return
    const body = `it is not shown where the result is reused: ${tooMuchShown}`
    this.add({ type: 'warning', name, body }, of)
  }
}
