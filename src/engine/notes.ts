import { encode } from '../model/codec.ts'
import type { AttemptNote } from '../ports/executor.ts'
import type { RunContext } from './run-context.ts'

type NoteType = AttemptNote['type'] | 'warning'

/** What is said of a run and its calls, to be shown: it is kept, and told to whoever listens. */
export class Notes {
  readonly #run: RunContext

  constructor(run: RunContext) {
    this.#run = run
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
