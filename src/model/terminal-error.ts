/** Thrown by a task to say that trying again cannot help. Recognised by `terminal`: it may come from another copy. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
  readonly terminal = true
}

/** Does this error say of itself that trying again cannot help? */
export const isTerminal = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'terminal' in error && error.terminal === true
