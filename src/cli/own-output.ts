const write = process.stdout.write.bind(process.stdout)

/** Writes what a command itself says to standard output. */
export const writeOwn = (text: string): void => void write(text)

/**
 * What else is written to standard output, by a workflow, its module or a library of theirs, goes beside it: programs read
 * only what the command says. Gives back what ends it.
 */
export function keepOutputOwn(): () => void {
  const { stdout, stderr } = process
  const before = stdout.write
  stdout.write = (...args: unknown[]) => {
    stderr.write(...(args as Parameters<typeof stderr.write>))
    // who would wait for room waits for that of standard output
    return true
  }
  return () => {
    stdout.write = before
  }
}
