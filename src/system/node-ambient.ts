import { AsyncLocalStorage } from 'node:async_hooks'
import type { Ambient, Caller } from '../ports/caller.ts'

/** Follows workflow functions over `await` by Node's own means. */
export function nodeAmbient(): Ambient {
  const storage = new AsyncLocalStorage<Caller>()
  return { current: () => storage.getStore(), run: (caller, fn) => storage.run(caller, fn) }
}
