import { AlmanacError } from '../../model/errors.ts'

/** What the system refused (rights, a full disk, too many open files), in its words; undefined for anything else. */
export function systemFailure(error: unknown): AlmanacError | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, syscall, message } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined) return undefined
  // "EACCES: permission denied, mkdir '/x'": the code goes to the end
  const why = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message
  return new AlmanacError('ALM_SYSTEM', { why: `${why} (${code})` }, { cause: error })
}
