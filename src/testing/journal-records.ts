import type { CallMade, Outcome, RememberedCall, RunRecord } from '../model/records.ts'

/** Records for tests of journals: each as plain as it may be, with what the test is about on top. */

export const aRun = (id: string, more: Partial<RunRecord> = {}): RunRecord => ({
  id,
  workflow: 'ingest',
  environment: 'default',
  state: 'scheduled',
  inputWire: '{"raw":1}',
  optionsWire: '{}',
  tags: [],
  createdAt: 1000,
  uncaught: [],
  counts: {},
  executed: 0,
  reused: 0,
  ...more,
})

export const aCall = (call: number, more: Partial<CallMade> = {}): CallMade => ({
  kind: 'call',
  call,
  key: aDigest(`key ${call}`),
  caller: 'ingest',
  name: 'qc',
  call_kind: 'task',
  argsWire: `[${call}]`,
  at: 2000 + call,
  ...more,
})

export const anOutcome = (call: number, more: Partial<Outcome> = {}): Outcome => ({
  kind: 'outcome',
  call,
  order: call,
  state: 'succeeded',
  reason: 'executed',
  fingerprint: aDigest(`fingerprint ${call}`),
  valueWire: `{"n":${call}}`,
  digest: aDigest(`value ${call}`),
  attempt: 1,
  startedAt: 3000 + call,
  endedAt: 3100 + call,
  costMs: 100,
  ...more,
})

/** A digest that is the same for the same text; not a hash. */
export function aDigest(text: string): string {
  let hex = ''
  for (let i = 0; hex.length < 64; i++)
    hex += ((text.charCodeAt(i % text.length) * 31 + i * 7 + text.length) % 256).toString(16).padStart(2, '0')
  return hex
}

/** The call as `load` gives it back. */
export const remembered = (
  { kind: _, keyed, argsWire, ...made }: CallMade,
  outcome?: Outcome,
  attempts: RememberedCall['attempts'] = [],
): RememberedCall => ({
  ...made,
  ...(keyed !== true && made.call_kind !== 'entry' && { argsWire }),
  ...(outcome && { outcome: bare(outcome) }),
  attempts,
})

function bare({ kind: _, call: __, ...outcome }: Outcome): NonNullable<RememberedCall['outcome']> {
  return outcome
}

/** The call as it is listed. */
export const row = ({ kind: _, keyed: __, ...made }: CallMade, outcome?: Outcome) => ({
  ...made,
  ...(outcome && { outcome: bare(outcome) }),
})

export const anAsk = (call: number) =>
  ({ kind: 'ask', call, title: 'Good?', schemaWire: '{"type":"boolean"}', showWire: '[]', at: 5 }) as const
