import type { RunId } from '../model/records.ts'
import type { LogLine } from './executor.ts'

/** What attempts print, kept by line. A file is made with the first line. */
export interface LogStore {
  write(run: RunId, call: number, attempt: number, lines: readonly LogLine[]): void
  /**
   * Lines of a call's attempts, oldest first, from a position on; `next` is where to go on. `attempts`: those that
   * `printed` told of, which spares looking for them.
   */
  read(
    run: RunId,
    call: number,
    from: LogPosition | undefined,
    limit: number,
    attempts?: readonly number[],
  ): Promise<{
    readonly lines: readonly (LogLine & { readonly attempt: number })[]
    readonly next: LogPosition
  }>
  /** Calls of a run that printed something here, by number: as many as have lines, however many were made. */
  printed(run: RunId): Promise<readonly PrintedCall[]>
  /** Calls of a run that printed something, where the run may be another machine's; absent where none can be. */
  calls?(run: RunId): Promise<readonly LoggedCall[]>
  remove(run: RunId): Promise<void>
  /** All that was written is in the files. */
  flush(): Promise<void>
}

export interface LoggedCall {
  readonly call: number
  readonly name: string
}

export interface PrintedCall {
  readonly call: number
  /** ascending */
  readonly attempts: readonly number[]
}

export interface LogPosition {
  readonly attempt: number
  readonly byte: number
}
