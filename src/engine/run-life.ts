import type { RunRecord } from '../model/records.ts'
import type { AttemptsUnderWay } from './attempts/attempts-under-way.ts'
import type { SharedWork } from './identity/shared-work.ts'
import type { EarlierNotes } from './notes/earlier-notes.ts'
import type { CallListener } from './run-context.ts'
import type { RunSettings } from './settings.ts'
import type { NewTriggered, TriggeredListener } from './triggers/triggered-runs.ts'

/** What is told about a run while it goes on. */
export interface RunListener extends CallListener, TriggeredListener {}

/** One life of a run: what it begins with, and what it is given besides by the process that executes it. */
export interface RunLife {
  readonly run: RunRecord
  readonly settings: RunSettings
  readonly listener: RunListener
  readonly underWay: AttemptsUnderWay
  readonly look: () => Promise<void>
  readonly work: SharedWork
  /** what its functions have said in earlier lives, where it has had any */
  readonly earlierNotes?: EarlierNotes
  /** A run that it has triggered, now or before, is to be executed. */
  readonly begin?: (triggered: NewTriggered) => void
  /** It is looked for such runs. */
  readonly find?: (work: Promise<void>) => void
  /** datasets of which it reads the newest versions, whatever it saw before */
  readonly anew?: ReadonlySet<string>
}
