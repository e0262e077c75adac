import { AlmanacError } from '../../model/errors.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Attempt, Executor, ExecutorListener } from '../../ports/executor.ts'
import type { ProgramOptions } from '../programs/program-executor.ts'
import { ProgramExecutor } from '../programs/program-executor.ts'
import type { Prepared, ProgramEnd, ProgramKind, ProgramVerdict } from '../programs/program-plan.ts'
import { taskFilesOf } from '../programs/task-files.ts'
import type { Ready } from './container-run.ts'
import { bodyOf, containerName, containerRun, hostVariables, readyFor } from './container-run.ts'
import type { Containers } from './containers.ts'
import { containerEnd } from './ends.ts'
import { removeWords, runWords } from './run-words.ts'

export interface ContainerExecutorOptions extends ProgramOptions {
  readonly containers: Containers
}

/**
 * Runs programs in containers, by the container program as a child process: what is started, watched and read is that,
 * as any program is. Only a request to stop goes to the container itself.
 *
 * K1 an attempt that was stopped, or whose container program died, has ended when its container is removed.
 */
class ContainerKind implements ProgramKind {
  readonly name = 'container'
  readonly elsewhere = true
  readonly #containers: Containers
  readonly #ready = new WeakMap<Attempt, Ready>()
  /** of containers */
  readonly #names = new WeakMap<Attempt, string>()
  #count = 0

  constructor(containers: Containers) {
    this.#containers = containers
  }

  accepts(task: TaskSpec): boolean {
    return task.body.kind === 'container'
  }

  async ready(attempt: Attempt): Promise<void> {
    this.#ready.set(attempt, await readyFor(attempt, this.#containers))
  }

  prepare(attempt: Attempt): Prepared {
    const ready = this.#ready.get(attempt)
    if (ready === undefined) throw new AlmanacError('ALM_BUG', { why: `${attempt.id} is not ready` })
    const name = containerName(attempt, String(++this.#count))
    this.#names.set(attempt, name)
    const run = containerRun(attempt, ready, name, this.#containers.settings)
    const [program = '', ...args] = runWords(ready.engine, run)
    const { body } = run
    return {
      label: body.entrypoint?.[0] ?? body.run[0] ?? body.image,
      exitCodes: body.exitCodes,
      files: taskFilesOf(attempt),
      shared: body.user !== undefined,
      start: {
        program,
        args,
        cwd: attempt.scratch,
        env: { ...hostVariables(), ...attempt.env },
        last: removeWords(ready.engine, [name]),
      },
    }
  }

  ask(attempt: Attempt, over: () => boolean): void {
    const init = bodyOf(attempt).init && this.#ready.get(attempt)?.engine.init === true
    this.#containers.askToStop({ name: this.#names.get(attempt) ?? '', init, over })
  }

  async settle(attempt: Attempt, end: ProgramEnd): Promise<ProgramVerdict | undefined> {
    const name = this.#names.get(attempt) ?? ''
    const limit = attempt.memoryBytes
    if (end.stopped) {
      await this.#containers.remove([name])
      return undefined
    }
    const { code } = end.exit
    if (code === 0) {
      if (limit > 0) this.#containers.removeLater([name])
      return undefined
    }
    const killed = limit > 0 && (await this.#containers.wasShort(name))
    // it may be the container program that was killed, and its container goes on
    if (limit > 0 || code >= 125) await this.#containers.remove([name])
    return containerEnd(attempt.task, bodyOf(attempt), end, { limit, killed })
  }

  close(): Promise<void> {
    return this.#containers.close()
  }
}

/** Runs programs in containers: as commands are run, with files and directories at paths in the container. */
export const openContainerExecutor = (
  { containers, ...options }: ContainerExecutorOptions,
  listener: ExecutorListener,
): Executor => new ProgramExecutor(new ContainerKind(containers), options, listener)
