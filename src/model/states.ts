/** The states and reasons of `docs/states.md`, by the same names in API, CLI and metrics. */

export const callReasons = {
  waiting: ['inputs', 'slot', 'limit', 'memory', 'time', 'retry', 'person', 'signal', 'held'],
  running: ['starting', 'executing', 'retrying', 'rebuilding', 'cancelling'],
  succeeded: ['executed', 'cached', 'replayed'],
  failed: ['error', 'timeout', 'lost', 'memory', 'outputs'],
  skipped: ['upstream', 'condition', 'policy', 'removed'],
  cancelled: ['request', 'deadline'],
  undone: ['undone'],
} as const

/** What a call is doing, or how it ended. */
export type CallState = keyof typeof callReasons
export type ReasonOf<S extends CallState> = (typeof callReasons)[S][number]

/** A state with a reason that belongs to it. */
export type CallStatus = { [S in CallState]: { readonly state: S; readonly reason: ReasonOf<S> } }[CallState]

export type FailureReason = ReasonOf<'failed'>

/** A call in one of these has an outcome. */
export const endStates = ['succeeded', 'failed', 'skipped', 'cancelled', 'undone'] as const
export type EndState = (typeof endStates)[number]

export const isEnd = (state: CallState): state is EndState => (endStates as readonly string[]).includes(state)

export const runStates = [
  'scheduled',
  'waiting',
  'running',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
  'undone',
] as const
/** What a run is doing, or how it ended. */
export type RunState = (typeof runStates)[number]

/** A run in one of these does nothing until a person resumes it. */
export const isRunEnd = (state: RunState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'cancelled' || state === 'undone'
