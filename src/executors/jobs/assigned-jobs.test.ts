import { expect, test } from 'vitest'
import { Recorder } from '../../testing/executors/recorder.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { Attempts } from '../lifecycle.ts'
import { AssignedJobs } from './assigned-jobs.ts'
import { Job, TaskFunctions } from './job.ts'
import { JobRuns } from './job-runs.ts'

const task = taskSpec('t', { kind: 'python', file: '/t.py', function: 't', threads: 1 })
const runs = new JobRuns()
const functions = new TaskFunctions()
const attempts = new Attempts<Job>({ clock: new VirtualClock(0) }, new Recorder(), { stop: () => undefined })

function job(seq: number, of = task): Job {
  const id = `r/${seq}.1`
  const more = { scratch: '/s', idempotencyKey: 'i', memoryBytes: 0, env: {}, logicalTime: 0 }
  const live = attempts.add({
    id,
    run: 'r',
    call: seq,
    attempt: 1,
    key: id,
    task: of,
    inputs: {},
    outputs: {},
    ...more,
  })
  if (live === undefined) throw new Error('it is open')
  const made = new Job(seq, live, functions.of(of), runs.of('r'), { want: () => undefined })
  made.enter()
  return made
}

function assign(to: AssignedJobs, one: Job, begins: boolean): void {
  to.add(one, begins)
  one.phase = 'sent'
}

test('what waits behind one that is long is asked for once, and again when it was there anew', () => {
  const jobs = new AssignedJobs(() => undefined)
  const [long, second, third] = [job(1), job(2), job(3)] as const
  assign(jobs, long, true)
  assign(jobs, second, false)
  const looks = [jobs.behindLongOne(), jobs.behindLongOne(), jobs.behindLongOne()]
  assign(jobs, third, false)
  looks.push(jobs.behindLongOne())
  jobs.delete(second, false)
  assign(jobs, second, false)
  looks.push(jobs.behindLongOne())
  expect(looks.map((some) => some.map(({ seq }) => seq))).toEqual([[], [2], [], [3], [2]])
})

test('nothing is let wait behind one that has turned out to be long, until that has ended', () => {
  const jobs = new AssignedJobs(() => undefined)
  const short = taskSpec('s', { kind: 'python', file: '/t.py', function: 's', threads: 1 })
  functions.of(short).took(1, 0)
  const other = taskSpec('o', { kind: 'python', file: '/t.py', function: 'o', threads: 1 })
  functions.of(other).took(1, 0)
  const [long, second, third] = [job(4, other), job(5, short), job(6, short)] as const
  assign(jobs, long, true)
  const may = [jobs.canWait(second, 8)]
  assign(jobs, second, false)
  jobs.behindLongOne()
  may.push(jobs.canWait(third, 8))
  jobs.behindLongOne()
  jobs.delete(second, false)
  may.push(jobs.canWait(second, 8), jobs.canWait(third, 8))
  jobs.delete(long, true)
  assign(jobs, second, true)
  may.push(jobs.canWait(third, 8))
  expect(may).toEqual([true, true, false, false, true])
})
