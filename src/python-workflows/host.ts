import { AsyncLocalStorage } from 'node:async_hooks'
import { requireCaller } from '../flow/ambient.ts'
import type { TaskDefinition } from '../flow/definition.ts'
import { toWire } from '../model/codec.ts'
import { AlmanacError } from '../model/errors.ts'
import { joinPaths } from '../model/path.ts'
import { FutureRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import { mapRefs } from '../model/value-refs.ts'
import type { Caller, StuckAt } from '../ports/caller.ts'
import { definitionFrom } from './definitions.ts'
import { ToldDocuments } from './documents.ts'
import { errorFrom, loadError, toldOf } from './failures.ts'
import type { DescribedFile, PythonFailure, Said } from './messages.ts'
import { callRef, carryOut, type Operation } from './operations.ts'
import { type ProcessStart, WorkflowProcess } from './process.ts'

/** so long a function may go on when its run is cancelled */
const patienceMs = 5000

/** What functions in Python need of others. */
export type HostTools = Pick<Operation, 'workflow'>

type Settle<T> = Pick<PromiseWithResolvers<T>, 'resolve' | 'reject'>

/** A function under way. */
interface Entered extends Settle<Value> {
  readonly caller: Caller
  /** calls of its run by the numbers that Python gave them, or why they were refused */
  readonly calls: Map<number, FutureRef | Error>
  /** goes into the function's own surroundings */
  readonly inside: <T>(fn: () => T) => T
  /** failures that it was given, by wait */
  readonly failures: Map<number, unknown>
  /** waits of which nobody hears any more */
  readonly unheard: Set<number>
  readonly kept: object | undefined
  /** the first call that was refused when it was made: nobody may have asked for it */
  refused: Error | undefined
}

type Made = Extract<Said, { readonly kind: 'task' | 'ask' }>
type Want = Extract<Said, { readonly kind: 'want' }>

/**
 * Workflow functions of one Python process: enters them, makes their calls, gives them outcomes.
 *
 * G1 until Python says that it rests after what it was given, a replay gives nothing more (`Caller.remote`)
 * G2 calls are made in the order in which Python made them
 * G3 when the process ends, each function under way fails of that, once
 * G4 of a run that has ended or rests nothing is kept, here or in Python: functions that have not ended are left
 */
export class PythonHost {
  readonly #process: WorkflowProcess
  readonly #tools: HostTools
  readonly #isDebugged: boolean
  readonly #loads = new Map<number, Settle<DescribedFile>>()
  readonly #entered = new Map<number, Entered>()
  readonly #evaluations = new Map<number, Settle<Value>>()
  readonly #stuckQuestions = new Map<number, Settle<StuckAt | undefined>>()
  /** calls by run */
  readonly #runs = new Map<string, Entered['calls']>()
  /** by the numbers that Python gave them */
  readonly #tasks = new Map<number, TaskDefinition | Error>()
  readonly #documents = new ToldDocuments()
  /** what Python is at work with, in order */
  readonly #atWork: { readonly run: string; readonly number: number; readonly rested: () => void }[] = []
  #numbers = 0
  #given = 0
  #gone: AlmanacError | undefined

  constructor(start: ProcessStart, tools: HostTools) {
    this.#tools = tools
    this.#isDebugged = start.debug !== undefined
    this.#process = new WorkflowProcess(start, {
      said: (message) => this.#said(message),
      exited: (why) => this.#exited(why),
    })
  }

  get isGone(): boolean {
    return this.#gone !== undefined
  }

  /** Imports a file. @throws ALM_LOAD_FAILED, ALM_WORKFLOW_DIED */
  load(file: string): Promise<DescribedFile> {
    return this.#ask((number, settle) => {
      this.#loads.set(number, settle)
      this.#process.send(JSON.stringify(['load', number, file]))
    })
  }

  /** Enters a function, which is the ambient one's; what is `kept` lives as long as it runs. @throws ALM_WORKFLOW_DIED, and what it raises */
  enter(fn: number, input: Value, kept?: object): Promise<Value> {
    const caller = requireCaller('a workflow in Python')
    const calls = this.#callsOf(caller)
    const inside = AsyncLocalStorage.snapshot() as Entered['inside']
    const inputs = input === undefined || input === null ? null : toWire(input)
    return this.#ask((number, settle) => {
      this.#entered.set(number, {
        ...settle,
        caller,
        calls,
        inside,
        failures: new Map(),
        unheard: new Set(),
        refused: undefined,
        kept,
      })
      this.#give(caller, ['enter', number, fn, caller.run, caller.path, inputs, caller.enteredAt])
    })
  }

  close(): Promise<void> {
    return this.#process.end('it was asked to end')
  }

  // what Python is told

  #ask<T>(tell: (number: number, settle: Settle<T>) => void): Promise<T> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    tell(++this.#numbers, { resolve, reject })
    this.#keepAlive()
    return promise
  }

  /** Something that makes functions go on. */
  #give(caller: Caller, message: readonly unknown[]): void {
    if (this.#gone !== undefined) return
    this.#atWork.push({ run: caller.run, number: ++this.#given, rested: caller.remote.atWork() })
    this.#process.send(JSON.stringify(message))
  }

  #callsOf({ run, remote }: Caller): Entered['calls'] {
    const known = this.#runs.get(run)
    if (known !== undefined) return known
    const made: Entered['calls'] = new Map()
    this.#runs.set(run, made)
    remote.whenCancelled(() => this.#expectRest(run))
    remote.whenStuck(() => this.#stuckAt(run))
    remote.whenOver(() => this.#over(run, made))
    return made
  }

  /** One life of a run is over. */
  #over(run: string, calls: Entered['calls']): void {
    this.#runs.delete(run)
    const left = [...this.#entered].filter(([, entered]) => entered.calls === calls).map(([scope]) => scope)
    for (const scope of left) this.#entered.delete(scope)
    this.#keepAlive()
    if (this.#gone === undefined) this.#process.send(JSON.stringify(['over', run, left]))
  }

  /** A function that computes or sleeps hears nothing: it is not waited for. */
  #expectRest(run: string): void {
    if (this.#isDebugged) return
    const look = (): void => {
      if (this.#atWork.some((one) => one.run === run))
        void this.#process.end(`it went on for ${patienceMs / 1000} s after its run was cancelled`)
    }
    setTimeout(look, patienceMs).unref()
  }

  /** Where functions of a run wait for what is no call. */
  #stuckAt(run: string): Promise<StuckAt | undefined> {
    const scopes = [...this.#entered].filter(([, { caller }]) => caller.run === run).map(([scope]) => scope)
    if (scopes.length === 0) return Promise.resolve(undefined)
    const asked = this.#ask<StuckAt | undefined>((number, settle) => {
      this.#stuckQuestions.set(number, settle)
      this.#process.send(JSON.stringify(['stand', number, scopes]))
    })
    // when the process is gone, that is why
    return asked.catch(() => undefined)
  }

  #keepAlive(): void {
    this.#process.keepAlive(this.#loads.size + this.#entered.size + this.#evaluations.size > 0)
  }

  // what Python says

  #said(message: Said): void {
    switch (message.kind) {
      case 'task':
      case 'ask':
        return this.#make(message)
      case 'want':
        return this.#want(message)
      case 'withdraw': {
        const entered = this.#entered.get(message.scope)
        const timer = entered?.calls.get(message.call)
        if (timer instanceof FutureRef) entered?.caller.withdraw(timer.call)
        return
      }
      case 'rested':
        while ((this.#atWork[0]?.number ?? Infinity) <= message.taken) this.#atWork.shift()?.rested()
        return
      case 'define':
        this.#tasks.set(
          message.task,
          orError(() => definitionFrom(message.definition, this.#documents)),
        )
        return
      case 'undefine':
        this.#tasks.delete(message.task)
        return
      case 'note': {
        const { scope, type, name, body } = message
        return this.#entered.get(scope)?.caller.note(type as 'event', name, body)
      }
      case 'stands':
        return this.#settle(this.#stuckQuestions, message.asked, ({ resolve }) => resolve(message.stuckAt))
      case 'end':
      case 'raised':
        return this.#end(message)
      case 'loaded':
        return this.#settle(this.#loads, message.load, ({ resolve }) => resolve(message.file))
      case 'failed': {
        const error = loadError(message.failure)
        return this.#settle(this.#loads, message.load, ({ reject }) => reject(error))
      }
      case 'value':
        return this.#settle(this.#evaluations, message.evaluation, ({ resolve }) => resolve(message.value))
      case 'unvalued': {
        const error = errorFrom(message.failure)
        return this.#settle(this.#evaluations, message.evaluation, ({ reject }) => reject(error))
      }
    }
  }

  /** A function that has ended already makes no calls that count. */
  #make(message: Made): void {
    const entered = this.#entered.get(message.scope)
    if (entered === undefined) return
    const made = orError(() =>
      message.kind === 'task'
        ? this.#call(entered, message)
        : entered.inside(() => this.#operation(entered, message)),
    )
    if (made instanceof Error) entered.refused ??= made
    entered.calls.set(message.call, made)
  }

  #call(entered: Entered, { task, args, key }: Extract<Made, { kind: 'task' }>): FutureRef {
    const definition = this.#task(task)
    const given = this.#refs(entered, args)
    if (definition.context === undefined)
      return new FutureRef(entered.caller.call(definition.request, given, key))
    return entered.inside(() => callRef(definition, given, key))
  }

  #operation(
    entered: Entered,
    { operation, details, key, task, fn }: Extract<Made, { kind: 'ask' }>,
  ): FutureRef {
    return carryOut({
      ...this.#tools,
      documents: this.#documents,
      caller: entered.caller,
      name: operation,
      details: this.#refs(entered, details) as Readonly<Record<string, Value>>,
      key,
      task: task === undefined ? undefined : this.#task(task),
      fn: fn === undefined ? undefined : this.#function(entered, operation, fn),
    })
  }

  /** One of the author's: a child is entered, a predicate is asked. */
  #function(entered: Entered, operation: string, fn: number): (...args: never[]) => Promise<Value> {
    if (operation === 'child') return (input: Value) => this.enter(fn, input)
    const { caller, calls } = entered
    return (...args: Value[]) => {
      // Python has let go of it
      if (this.#runs.get(caller.run) !== calls)
        return Promise.reject(new AlmanacError('ALM_CANCELLED', { by: ', as the run has ended' }))
      return this.#ask((number, settle) => {
        this.#evaluations.set(number, settle)
        this.#give(caller, ['evaluate', number, fn, args.map((arg) => toWire(arg))])
      })
    }
  }

  #task(number: number): TaskDefinition {
    const known = this.#tasks.get(number)
    if (known instanceof Error) throw known
    return known as TaskDefinition
  }

  /** Python's numbers of calls become the run's. */
  #refs({ calls }: Entered, value: Value): Value {
    return mapRefs(value, (ref) => {
      if (!(ref instanceof FutureRef)) return ref
      const known = calls.get(ref.call)
      if (known instanceof Error) throw known
      if (known === undefined) throw new AlmanacError('ALM_FUTURE_FOREIGN', { task: 'a workflow' })
      return new FutureRef(known.call, joinPaths(known.path, ref.path))
    })
  }

  #want({ scope, call, path, wait }: Want): void {
    const entered = this.#entered.get(scope)
    if (entered === undefined) return
    const { caller, failures, calls, unheard } = entered
    const fail = (error: unknown, at = 0): void => {
      failures.set(wait, error)
      if (unheard.has(wait)) caller.unheard(error)
      else if (error === entered.refused) entered.refused = undefined
      this.#give(caller, ['failed', wait, toldOf(error), at])
    }
    const known = calls.get(call)
    if (!(known instanceof FutureRef)) return fail(known)
    caller.outcome(
      known.call,
      [...known.path, ...path],
      (value, at) => this.#give(caller, ['outcome', wait, toWire(value), at]),
      fail,
    )
  }

  #end(message: Extract<Said, { kind: 'end' | 'raised' }>): void {
    const entered = this.#entered.get(message.scope)
    if (entered === undefined) return
    for (const wait of message.unheard) {
      entered.unheard.add(wait)
      if (entered.failures.has(wait)) entered.caller.unheard(entered.failures.get(wait))
    }
    this.#settle(this.#entered, message.scope, ({ resolve, reject }) => {
      if (message.kind === 'raised') return reject(this.#raised(entered, message.failure))
      if (entered.refused !== undefined) return reject(entered.refused)
      const value = orError(() => [this.#refs(entered, message.value)] as const)
      return value instanceof Error ? reject(value) : resolve(value[0])
    })
  }

  #raised({ caller, calls, failures }: Entered, failure: PythonFailure): Error {
    const error = errorFrom(failure, 'ALM_WORKFLOW_FAILED', failures)
    const timer = failure.timer === undefined ? undefined : calls.get(failure.timer)
    if (timer instanceof FutureRef) caller.becauseOf(timer.call, error)
    return error
  }

  #settle<T extends object>(asked: Map<number, T>, number: number, how: (one: T) => void): void {
    const one = asked.get(number)
    if (one === undefined) return
    asked.delete(number)
    this.#keepAlive()
    how(one)
  }

  #exited(end: string | AlmanacError): void {
    const error = typeof end === 'string' ? new AlmanacError('ALM_WORKFLOW_DIED', { why: end }) : end
    this.#gone = error
    for (const asked of [this.#loads, this.#entered, this.#evaluations, this.#stuckQuestions]) {
      for (const { reject } of asked.values()) reject(error)
      asked.clear()
    }
    for (const { rested } of this.#atWork.splice(0)) rested()
  }
}

function orError<T>(make: () => T): T | Error {
  try {
    return make()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
