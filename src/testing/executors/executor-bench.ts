import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Attempt, AttemptEnd, AttemptId, Executor } from '../../ports/executor.ts'
import { VirtualClock } from '../virtual-clock.ts'
import type { ExecutorRig, Program, RigOptions } from './executor-rig.ts'
import type { Puppet } from './puppet-control.ts'
import { PuppetControl } from './puppet-control.ts'
import { Recorder } from './recorder.ts'

export const killAfterMs = 3000

type BenchRig = Pick<ExecutorRig, 'open' | 'puppet' | 'traits'>

/** An attempt under way with the puppet that plays it. */
export interface Played {
  readonly id: AttemptId
  readonly puppet: Puppet
  end(): Promise<AttemptEnd>
}

/** Everything of one test: an executor under a clock that the test moves, puppets, and what was heard. */
export class ExecutorBench {
  readonly clock: VirtualClock
  readonly heard: Recorder
  readonly control: PuppetControl
  readonly executor: Executor
  /** processes that were alive when the end of their stopped attempt was told */
  readonly survivors: number[] = []
  readonly #rig: BenchRig
  readonly #folder = mkdtempSync(join(tmpdir(), 'executor-'))
  readonly #pids = new Map<AttemptId, number[]>()
  #attempts = 0

  private constructor(
    rig: BenchRig,
    control: PuppetControl,
    clock: VirtualClock,
    heard: Recorder,
    executor: Executor,
  ) {
    this.#rig = rig
    this.control = control
    this.clock = clock
    this.heard = heard
    this.executor = executor
    this.heard.onEnd = (id, end) => this.#ended(id, end)
  }

  /** For tests of one executor: no puppets. */
  static openPlain(open: ExecutorRig['open'], limits?: RigOptions['limits']): Promise<ExecutorBench> {
    const puppet = (): Program => {
      throw new Error('there are no puppets here')
    }
    return ExecutorBench.open({ open, puppet, traits: { processes: 'own', grace: true } }, limits)
  }

  static async open(rig: BenchRig, limits?: RigOptions['limits']): Promise<ExecutorBench> {
    const control = await PuppetControl.open()
    const clock = new VirtualClock()
    const heard = new Recorder()
    const executor = await rig.open({ clock, killAfterMs, ...(limits !== undefined && { limits }) }, heard)
    return new ExecutorBench(rig, control, clock, heard, executor)
  }

  /** An attempt that is not submitted yet. */
  attempt(program: Program, more: Partial<Attempt> = {}): Attempt {
    const call = ++this.#attempts
    const scratch = join(this.#folder, String(call))
    // function tasks rarely need one, and a thousand of them take a while
    if (this.#rig.traits.processes !== 'none') mkdirSync(scratch)
    return {
      id: `r1/${call}.1`,
      run: 'r1',
      call,
      attempt: 1,
      key: `key-${call}`,
      outputs: {},
      scratch,
      idempotencyKey: `once-${call}`,
      memoryBytes: 0,
      env: {},
      logicalTime: Date.UTC(2026, 0, 2),
      ...program,
      ...more,
    }
  }

  puppetAttempt(more: Partial<Attempt> = {}): Attempt {
    return this.attempt(this.#rig.puppet(this.control.address, `p${this.#attempts + 1}`), more)
  }

  /** Submits one attempt and waits for its end. */
  run(program: Program, more: Partial<Attempt> = {}): Promise<AttemptEnd> {
    const attempt = this.attempt(program, more)
    this.executor.submit([attempt])
    return this.heard.end(attempt.id)
  }

  /** Submits a puppet and waits for it to connect. */
  async play(more: Partial<Attempt> = {}): Promise<Played> {
    const attempt = this.puppetAttempt(more)
    this.executor.submit([attempt])
    return this.played(attempt)
  }

  /** The puppet of an attempt that was submitted. */
  async played(attempt: Attempt): Promise<Played> {
    const puppet = await this.control.puppet(`p${attempt.call}`)
    // it comes by its own way: only from its start on, which is told where time counts, does its time run
    if (attempt.timeoutMs !== undefined || attempt.heartbeatMs !== undefined)
      await this.heard.until(() => this.heard.of(attempt.id).started === 1)
    if (puppet.pid !== process.pid) this.watch(attempt.id, puppet.pid)
    return { id: attempt.id, puppet, end: () => this.heard.end(attempt.id) }
  }

  /** A process that must be gone when this attempt has ended by being stopped. */
  watch(id: AttemptId, pid: number): void {
    this.#pids.set(id, [...(this.#pids.get(id) ?? []), pid])
  }

  /** Throws where the executor has told of an attempt what none may. */
  async close(): Promise<void> {
    await this.executor.close()
    await this.control.close()
    rmSync(this.#folder, { recursive: true, force: true })
    this.heard.close()
  }

  #ended(id: AttemptId, end: AttemptEnd): void {
    const pids = this.#pids.get(id) ?? []
    const gone = this.#rig.traits.processes === 'own' || end.kind === 'cancelled'
    if (gone) this.survivors.push(...pids.filter(isAlive))
  }
}

/** Ends a process by the number that was read somewhere; 0, which is what no text stands for, would be all tests. */
export function killProcess(pid: number): void {
  if (!Number.isInteger(pid) || pid < 2) throw new Error(`${pid} is not the number of a process`)
  process.kill(pid, 'SIGKILL')
}

/** Is this process running? One that is dead but not yet taken note of by its parent is not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    // after the name, which may hold anything, comes the state
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^[ZX]$/.test(stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3))
  } catch {
    return process.platform !== 'linux'
  }
}
