import { errorRecord } from '../../model/errors.ts'
import type { Job } from '../jobs/job.ts'
import type { WorkerExit } from './worker-process.ts'

/** How a worker ended. */
export interface WorkerEnd {
  readonly exit: WorkerExit
  /** it had said that it is there */
  readonly wasReady: boolean
  /** the kernel ended it for want of memory */
  readonly outOfMemory: boolean
  /** what it wrote to standard error last: Python's own words on a crash */
  readonly lastWords: readonly string[]
}

/** so many workers die under an attempt that is not known to have begun before it is taken to be the reason */
const maxDeaths = 3

/** Whose the last words of a worker are. Of several that may have begun nobody knows: they are tried again one by one. */
export function speakerOf(jobs: readonly Job[], { noRoom }: WorkerExit): Job | undefined {
  const sent = jobs.filter(isSent)
  const alone = noRoom === undefined && sent.length === 1 ? sent[0] : undefined
  return sent.find((job) => job.begun) ?? alone
}

/** What the end of a worker means for the attempts that were in it: each goes to another worker, or is told of it. */
export class WorkerDeath {
  /** not attempted, as far as anybody knows: they go to another worker, and nobody is told */
  readonly unbegun: readonly Job[]
  readonly #jobs: readonly Job[]
  readonly #sent: readonly Job[]
  readonly #end: WorkerEnd

  constructor(jobs: readonly Job[], end: WorkerEnd) {
    this.#jobs = jobs
    this.#end = end
    this.#sent = jobs.filter(isSent)
    this.unbegun = jobs.filter((job) => this.#isUnbegun(job))
  }

  /** One of several may have ended it, and would do so again: it is found by being alone. */
  suspect(): void {
    const { exit, outOfMemory } = this.#end
    if (this.#sent.length < 2 || exit.noRoom !== undefined) return
    const isOwn = outOfMemory || isOwnDoing(exit)
    for (const job of this.#sent) if (!job.announced || (job.begun && isOwn)) job.function.suspect()
  }

  tell(): void {
    const alone = this.#sent.length === 1
    for (const job of this.#jobs) if (!this.unbegun.includes(job)) tellDeath(job, this.#end, alone)
  }

  #isUnbegun(job: Job): boolean {
    const { exit, wasReady } = this.#end
    if (job.phase === 'moving') return true
    if (exit.noRoom === true) return job.live.verdict === undefined
    if (!wasReady || job.begun || job.live.verdict !== undefined) return false
    job.deaths += 1
    return job.deaths < maxDeaths && (job.announced || this.#sent.length > 1)
  }
}

const isSent = (job: Job): boolean => job.phase === 'sent'

/** `alone`: no other attempt was in the worker, so it is this one that ended it. */
function tellDeath(job: Job, end: WorkerEnd, alone: boolean): void {
  const { exit } = end
  const why = exitText(exit)
  if (!end.wasReady && exit.code === noDebugpy) {
    const how = 'Add debugpy to the requirements of the task’s environment.'
    job.live.fail('error', errorRecord('ALM_TOOL_MISSING', { what: 'debugpy', how }), false)
    return
  }
  if (!end.wasReady && exit.doom === undefined && isOwnDoing(exit)) {
    const said = end.lastWords.slice(-5).join('\n')
    const error = errorRecord('ALM_WORKER_LOST', { why: `it could not start, ${why}${said && `: ${said}`}` })
    job.live.fail('lost', error, true)
    return
  }
  if (end.outOfMemory && alone) {
    job.live.fail('memory', errorRecord('ALM_TASK_MEMORY', { why: 'the machine had no more' }), true)
    return
  }
  if (exit.doom !== undefined || !alone || !isOwnDoing(exit)) {
    job.live.lost(exit.doom ?? why)
    return
  }
  const words = end.lastWords.join('\n')
  const error = errorRecord(
    'ALM_TASK_DIED',
    { why },
    {
      type: exit.signal ?? `exit ${exit.code}`,
      ...placeIn(end.lastWords, job.function.directory),
      ...(words !== '' && { stack: words }),
    },
  )
  job.live.fail('lost', error, true)
}

/** exit code of `start.py` */
const noDebugpy = 93

/** A crash or an exit comes from within; other signals come from outside. */
const isOwnDoing = (exit: WorkerExit): boolean =>
  exit.signal === null ||
  ['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGFPE', 'SIGILL', 'SIGSYS', 'SIGTRAP'].includes(exit.signal)

const exitText = (exit: WorkerExit): string =>
  exit.signal === null ? `it ended with exit code ${exit.code}` : `it was ended by ${exit.signal}`

/** The author's line, from what Python's fault handler wrote: innermost frame first. */
function placeIn(words: readonly string[], directory: string): { file: string; line: number } | undefined {
  for (const word of words) {
    const [, file, line] = /^ {2}File "(.+)", line (\d+) in /.exec(word) ?? []
    if (file?.startsWith(`${directory}/`)) return { file, line: Number(line) }
  }
  return undefined
}
