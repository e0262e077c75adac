import { expect, test } from 'vitest'
import type { Attempt } from '../../ports/executor.ts'
import { Recorder } from '../../testing/executors/recorder.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { Job, TaskFunctions } from '../jobs/job.ts'
import { JobRuns } from '../jobs/job-runs.ts'
import { Attempts } from '../lifecycle.ts'
import { Outgoing } from './outgoing.ts'

const task = taskSpec('t', { kind: 'python', file: '/t.py', function: 't', threads: 1 })
const runs = new JobRuns()
const functions = new TaskFunctions()
const second = Date.UTC(2026, 0, 2)

function job(seq: number, more: Partial<Attempt> = {}): Job {
  const attempts = new Attempts<Job>({ clock: new VirtualClock(0) }, new Recorder(), {
    stop: () => undefined,
  })
  const live = attempts.add({
    id: `r/${seq}.1`,
    run: 'r',
    call: seq + 100,
    attempt: 1,
    key: `k${seq}`,
    task,
    inputs: {},
    outputs: {},
    scratch: '',
    idempotencyKey: `r/"${seq}`,
    memoryBytes: 0,
    env: {},
    logicalTime: second,
    ...more,
  })
  if (live === undefined) throw new Error('it is open')
  return new Job(seq, live, functions.of(task), runs.of('r'), { want: () => undefined })
}

const given = (n: number) => `{"n":${n}}`
const alike = [1, 1, 1, 2, '2026-01-02T00:00:00.000Z', '', {}]

test('attempts that follow each other and are alike go in one message', () => {
  const outgoing = new Outgoing()
  for (const n of [1, 2]) outgoing.addRun(job(n), given(n))
  outgoing.add('["width",2]')
  outgoing.addRun(job(3), given(3))
  expect(outgoing.take().map((text) => JSON.parse(text))).toEqual([
    ['run', ...alike, [1, 2], [{ n: 1 }, { n: 2 }], [101, 102], ['r/"1', 'r/"2']],
    ['width', 2],
    ['run', ...alike, [3], [{ n: 3 }], [103], ['r/"3']],
  ])
  expect(outgoing.take()).toEqual([])
})

test('attempts with large inputs go in messages of their own', () => {
  const outgoing = new Outgoing()
  const large = JSON.stringify({ text: 'x'.repeat(2 ** 20) })
  for (const n of [1, 2]) outgoing.addRun(job(n), large)
  expect(outgoing.take().map((text) => JSON.parse(text)[8])).toEqual([[1], [2]])
})

test.each<Partial<Attempt>>([
  { logicalTime: second + 1 },
  { attempt: 2 },
  { usesUp: true },
  { scratch: '/s' },
  { outputs: { made: '/o' } },
])('one that differs by %o has a message of its own', (more) => {
  const outgoing = new Outgoing()
  for (const one of [job(10), job(11, more), job(12)]) outgoing.addRun(one, '{}')
  expect(outgoing.take().map((text) => (JSON.parse(text) as unknown[])[8])).toEqual([[10], [11], [12]])
})
