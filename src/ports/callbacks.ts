import type { RunId } from '../model/records.ts'
import type { Digest } from '../model/refs.ts'

/** The token of a callback: who knows it may post. It is derived, so that a URL that was given away holds in later lives. */
export interface Callbacks {
  /** `call`: the key of the call */
  token(run: RunId, call: Digest): Promise<string>
  /** Where it is posted to. */
  url(token: string): string
}
