import type { Remembered } from '../core/identity/remembered.ts'
import type { Phase } from '../core/run/call.ts'
import type { RunEvent } from '../core/run/events.ts'
import type { RunMachine } from '../core/run/machine.ts'
import type { AskRecord, ErrorRecord, Note, Time } from '../model/records.ts'
import type { CallState, RunState } from '../model/states.ts'
import type { Value } from '../model/value.ts'
import type { CallInfo } from './calls/call-info.ts'
import type { CallTable } from './calls/call-table.ts'
import type { Outcomes } from './calls/outcomes.ts'
import type { TaskCount } from './calls/task-counts.ts'
import type { SharedWork } from './identity/shared-work.ts'
import type { Notes } from './notes/notes.ts'
import type { Recorder } from './recorder.ts'
import type { EnginePorts, RunSettings } from './settings.ts'

/** What is told about the calls of a run while it goes on. */
export interface CallListener {
  /** The machine has applied an event: for simulation; and what is known of the calls besides, for tests. */
  applied?(event: RunEvent, machine: RunMachine, known: Pick<RunContext, 'calls' | 'outcomes'>): void
  /** `input`: its arguments as they are known, for a failure that is final */
  failed?(info: CallInfo, error: ErrorRecord, attempt: number, final: boolean, input?: () => Value): void
  noted?(note: Note): void
  asked?(ask: AskRecord): void
}

/** What the parts of a driver share: one run, in one life of it. */
export interface RunContext {
  readonly id: string
  readonly createdAt: Time
  readonly ports: EnginePorts
  readonly settings: RunSettings
  readonly listener: CallListener
  readonly machine: RunMachine
  readonly remembered: Remembered
  readonly calls: CallTable
  readonly outcomes: Outcomes
  readonly recorder: Recorder
  readonly notes: Notes
  readonly work: SharedWork
  /** Tells the machine what has happened. Nothing is applied once the run is over. */
  dispatch(event: RunEvent): void
  /** Has the driver ended? Whatever is still said about the run changes nothing. */
  isOver(): boolean
  isIn(info: CallInfo, phase: Phase): boolean
  /** Calls back once, not before `time`, unless what it returns was called; not at all once this life of the run is over. */
  at(time: number, wake: () => void): () => void
  /** The engine cannot go on with the run. */
  abort(error: unknown): void
}

/** How a run stands. */
export interface RunSnapshot {
  readonly state: RunState
  readonly counts: Partial<Record<CallState, number>>
  readonly executed: number
  readonly reused: number
  readonly unkept?: number
  readonly savedMs: number
  /** calls in line, by the limit that is short */
  readonly limits: Readonly<Record<string, number>>
  /** questions to people that are open: titles of the first */
  readonly asks: readonly string[]
  readonly tasks: readonly TaskCount[]
}
