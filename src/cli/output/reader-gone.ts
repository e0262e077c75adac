import { exitCodes } from './printer.ts'

/** Tells when whoever reads the output stops reading, as `head` does. Gives back what ends it. */
export function onReaderGone(gone: () => void): () => void {
  const hear = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') gone()
  }
  process.stdout.on('error', hear)
  return () => void process.stdout.off('error', hear)
}

/** For a command that does nothing but tell: there is nobody left to tell it to. */
export const leaveUnread = (): void => void onReaderGone(() => process.exit(exitCodes.done))
