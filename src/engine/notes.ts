import { encode } from '../model/codec.ts'
import type { AttemptNote } from '../ports/executor.ts'
import type { RunContext } from './run-context.ts'
import { imagePath, withImage } from './shown-image.ts'
import type { Veil } from './veil.ts'

type NoteType = AttemptNote['type'] | 'warning'

/** What is said of a run and its calls, to be shown: it is kept, and told to whoever listens. */
export class Notes {
  readonly #run: RunContext

  constructor(run: RunContext) {
    this.#run = run
  }

  /** What an attempt says; where it shows an image of its own, that is taken into the store first. */
  said(
    note: AttemptNote,
    veil: Veil | undefined,
    of: { readonly call: number; readonly attempt: number },
  ): Promise<void> | undefined {
    const told = veil?.note(note) ?? note
    const image = imagePath(note)
    if (image === undefined) return void this.add(told, of)
    return withImage(told, image, this.#run.ports.data).then((notes) => {
      for (const one of notes) this.add(one, of)
    })
  }

  add(
    note: { readonly type: NoteType; readonly name: string; readonly body: AttemptNote['body'] },
    of: { readonly call?: number; readonly attempt?: number } = {},
  ): void {
    const { recorder, listener, ports } = this.#run
    const { type, name, body } = note
    const kept = { kind: 'note', ...of, type, name, bodyWire: encode(body), at: ports.clock.now() } as const
    recorder.add(kept)
    listener.noted?.(kept)
  }
}
