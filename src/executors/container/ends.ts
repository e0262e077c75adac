import { errorRecord } from '../../model/errors.ts'
import type { ErrorRecord } from '../../model/records.ts'
import type { ContainerBody, TaskSpec } from '../../model/task.ts'
import { bytesText } from '../limits.ts'
import { placeOf } from '../programs/program-failures.ts'
import type { ProgramEnd, ProgramVerdict } from '../programs/program-plan.ts'

/** What the end of a container was, as far as it was not the program's own. */

/** The container program's own failures: it has not got so far as to run anything, or nothing of that name. */
const engineExits = new Set([125, 126, 127])

/** How programs run that cannot be started; what a machine refuses to the container's surroundings names none. */
const noProgram =
  /executable file .*not found|command (?:that was )?not found|\bexec.*(?:no such file or directory|permission denied)/i
const daemonGone =
  /error waiting for container|unexpected EOF|connection reset by peer|cannot connect to the docker daemon|error during connect/i
/**
 * What Podman (4.3) says, with exit code 127, where it asks how a container ended and that has been removed:
 * on a machine that stands still for a moment, the process that cleans up is there first.
 */
const endMissed =
  /^time=".*level=error msg="(Waiting for container \w+: container has already been removed)"$/m

export function containerEnd(
  task: TaskSpec,
  body: ContainerBody,
  end: ProgramEnd,
  memory: { readonly limit: number; readonly killed: boolean },
): ProgramVerdict | undefined {
  const { exit, lastWords } = end
  if (memory.killed || (memory.limit > 0 && exit.signal === 'SIGKILL')) {
    const limit = bytesText(memory.limit)
    const why = memory.killed
      ? `a process of the container was killed for going over its limit of ${limit}`
      : `the container was killed (SIGKILL), most likely for going over its limit of ${limit}`
    return { reason: 'memory', error: record('ALM_TASK_MEMORY', { why }, task, lastWords), retryable: true }
  }
  const unstarted = initWords(lastWords)
  const why = unstarted ?? (engineExits.has(exit.code) ? engineWords(lastWords) : undefined)
  if (why === undefined) return undefined
  const missed = exit.code === 127 ? endMissed.exec(lastWords)?.[1] : undefined
  if (missed !== undefined) return { lost: missed }
  if (daemonGone.test(why)) return { lost: why }
  if (unstarted !== undefined || (exit.code !== 125 && noProgram.test(why))) {
    const what = body.entrypoint?.[0] ?? body.run[0] ?? body.image
    const missing = `it cannot be run in the image ${body.image}: ${why}`
    return {
      reason: 'error',
      error: record('ALM_TASK_NOT_FOUND', { what, why: missing }, task, lastWords),
      retryable: false,
    }
  }
  const error = record('ALM_CONTAINER_FAILED', { image: body.image, why }, task, lastWords)
  return { reason: 'error', error, retryable: true }
}

/** What the first process says (catatonit of Podman, tini of Docker) where there is no such program. */
const initWords = (lastWords: string): string | undefined =>
  /^(?:ERROR \(catatonit:\d+\): failed to exec pid1|\[FATAL tini \(\d+\)\] exec .* failed): (.*)$/m.exec(
    lastWords,
  )?.[1]

/** What the container program said last; undefined where it is the program in the container that spoke. */
function engineWords(lastWords: string): string | undefined {
  const line = lastWords
    .split('\n')
    .findLast((one) => /^(?:Error: |docker: |time=".*level=(?:error|fatal))/.test(one))
  return line
    ?.replace(/^time="[^"]*" level=\w+ msg="(.*)"$/, '$1')
    .replace(/^(?:Error|docker): /, '')
    .replace(/^Error response from daemon: /, '')
    .replace(/\.$/, '')
}

const record = (
  code: 'ALM_TASK_MEMORY' | 'ALM_TASK_NOT_FOUND' | 'ALM_CONTAINER_FAILED',
  details: Readonly<Record<string, unknown>>,
  task: TaskSpec,
  lastWords: string,
): ErrorRecord =>
  errorRecord(code, details, { ...placeOf(task), ...(lastWords !== '' && { stack: lastWords }) })
