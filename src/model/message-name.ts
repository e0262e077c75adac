/** What messages may be called: a word as it stands on a command line. */
export const isMessageName = (name: unknown): name is string =>
  typeof name === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,99}$/.test(name)
