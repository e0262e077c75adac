import { readFileSync } from 'node:fs'
import { ask } from './client.ts'
import type { ContainerEngine } from './engine.ts'

/** A container that is to hear SIGTERM. */
export interface StopRequest {
  readonly name: string
  /** it has a first process of the engine's, which passes signals on */
  readonly init: boolean
  /** it has ended */
  over(): boolean
}

const answerMs = 60_000
const leastPauseMs = 50
const mostPauseMs = 500
/** So often is looked for the program below the first process, which may be one of another machine. */
const looks = 10

/**
 * Sends SIGTERM to a container when it has begun its program, and not before: what its first process does not heed yet
 * the kernel drops, and what is sent to the container program while that starts a container is lost, or ends it alone.
 */
export async function requestStop({ words }: ContainerEngine, request: StopRequest): Promise<void> {
  const tell = (...command: readonly string[]): Promise<string | undefined> =>
    ask([...words, ...command, request.name], { timeoutMs: answerMs }).then(
      ({ code, stdout }) => (code === 0 ? stdout : undefined),
      () => undefined,
    )
  let looked = 0
  for (let pause = leastPauseMs; !request.over(); pause = Math.min(2 * pause, mostPauseMs)) {
    const pid = Number(await tell('inspect', '--format', '{{.State.Pid}}'))
    const begun = pid > 0 && (!request.init || hasChild(pid) || ++looked === looks)
    if (begun && (await tell('kill', '--signal=TERM')) !== undefined) return
    await new Promise<void>((resolve) => {
      setTimeout(resolve, pause)
    })
  }
}

/** True, too, where it cannot be known. */
function hasChild(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1') !== ''
  } catch {
    return true
  }
}
