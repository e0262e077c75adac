import { AsyncLocalStorage } from 'node:async_hooks'
import type { Ambient, Caller } from '../ports/caller.ts'

/** one of the process: whoever hears what nobody caught has to know whose it is */
const storage = new AsyncLocalStorage<Caller>()
const ambient: Ambient = { current: () => storage.getStore(), run: (caller, fn) => storage.run(caller, fn) }
let isHeard = false

/** Follows workflow functions over `await` by Node's own means. */
export function nodeAmbient(): Ambient {
  if (!isHeard) process.on('unhandledRejection', unheard)
  isHeard = true
  return ambient
}

/** A rejection that nobody handles fails the run whose function it is of; all others do what they do without us. */
function unheard(reason: unknown): void {
  const caller = storage.getStore()
  if (caller !== undefined) caller.unheard(reason)
  else if (process.listenerCount('unhandledRejection') === 1) throw reason
}
