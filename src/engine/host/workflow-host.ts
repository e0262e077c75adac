import { toArgs } from '../../flow/arguments.ts'
import { authorValues } from '../../flow/values.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { NoteType, RunId, Time } from '../../model/records.ts'
import { FutureRef } from '../../model/refs.ts'
import type { SourcePlace } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import { mapRefs } from '../../model/value-refs.ts'
import type { Ambient, Caller, RemoteHost, StuckAt } from '../../ports/caller.ts'
import type { NewCall } from '../calls/call-info.ts'
import type { EnginePorts } from '../settings.ts'
import { LastCall } from './last-call.ts'
import type { Failures } from './uncaught.ts'

/** What the functions of a run ask of it. */
export interface HostedRun {
  readonly id: RunId
  readonly remote: RemoteHost
  call(call: NewCall): number
  readonly outcome: Caller['outcome']
  withdraw(timer: number): void
  note(callerPath: string, type: NoteType, name: string, body: Value): void
}

/** How a function ended. */
export type Settlement =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: unknown }

/**
 * Where workflow functions written in TypeScript live: this process.
 *
 * H1 each function runs with its own caller as the ambient one, over every `await`.
 * H2 a function's result is plain: futures in it are awaited before it settles.
 */
export class WorkflowHost {
  readonly #run: HostedRun
  readonly #ambient: Ambient

  readonly #failures: Failures
  /** where the run's own function is */
  definedAt: SourcePlace | undefined
  readonly #lastCall: LastCall

  constructor(
    run: HostedRun,
    { ambient, clock }: Pick<EnginePorts, 'ambient' | 'clock'>,
    failures: Failures,
  ) {
    this.#run = run
    this.#ambient = ambient
    this.#lastCall = new LastCall(clock)
    this.#failures = failures
  }

  /** About where functions of this process stand. */
  stuckAt(): StuckAt | undefined {
    return this.#lastCall.stuckAt()
  }

  /** Enters a function: of the run, which may tell where it is defined, a child, a stage or a branch. */
  enter(
    path: string,
    fn: (...args: never[]) => unknown,
    input: Value,
    settle: (settlement: Settlement) => void,
    enteredAt: Time,
    definedAt?: SourcePlace,
  ): void {
    if (definedAt !== undefined) this.#lastCall.begins(path, definedAt)
    this.definedAt ??= definedAt
    const caller = this.#caller(path, enteredAt)
    const run = async (): Promise<Value> => {
      const result: unknown = await this.#ambient.run(caller, () => fn(authorValues(input) as never))
      return this.#known(caller, toArgs(result))
    }
    this.#ambient.run(caller, run).then(
      (value) => settle({ ok: true, value }),
      (error: unknown) => settle({ ok: false, error }),
    )
  }

  /** Runs a predicate of the author's on values. */
  evaluate(fn: ((...args: never[]) => unknown) | undefined, args: readonly Value[]): unknown {
    if (fn === undefined) throw new AlmanacError('ALM_BUG', { why: 'a filter has no predicate' })
    return (fn as (...args: readonly Value[]) => unknown)(...args.map(authorValues))
  }

  #known(caller: Caller, value: Value): Value | Promise<Value> {
    let futures = false
    mapRefs(value, (ref) => {
      if (ref instanceof FutureRef) futures = true
      return ref
    })
    if (!futures) return value
    const call = caller.call({ kind: 'view', name: 'all' }, { of: value })
    return new Promise((resolve, reject) => caller.outcome(call, [], resolve, reject))
  }

  #caller(path: string, enteredAt: Time): Caller {
    const run = this.#run
    const failures = this.#failures
    return {
      run: run.id,
      path,
      enteredAt,
      remote: run.remote,
      unheard: (error) => failures.unheard(error),
      call: (request, args, key) => {
        this.#lastCall.made(request.name)
        return run.call({ caller: path, request, args, key })
      },
      outcome: (call, fieldPath, succeed, fail) =>
        run.outcome(call, fieldPath, (value, at) => succeed(authorValues(value), at), fail),
      withdraw: (timer) => run.withdraw(timer),
      becauseOf: (timer, error) => failures.becauseOf(timer, error),
      note: (type, name, body) => run.note(path, type, name, body),
    }
  }
}
