import type { Readable } from 'node:stream'

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

/** Hands on what another process says, by whole lines: parts of long ones would mix with those of others. */
export function handOnLines(from: Readable): void {
  const parts: string[] = []
  from.setEncoding('utf8').on('data', (text: string) => {
    const end = text.lastIndexOf('\n') + 1
    parts.push(text.slice(0, end))
    if (end > 0) writeOwn(parts.splice(0).join(''))
    parts.push(text.slice(end))
  })
}
