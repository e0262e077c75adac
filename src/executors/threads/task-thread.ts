import { toWire } from '../../model/codec.ts'
import { errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { Path } from '../../model/path.ts'
import { taskArguments } from '../../model/task-arguments.ts'
import type { Value } from '../../model/value.ts'
import { consoleCapture } from '../functions/console-capture.ts'
import { FunctionContext } from '../functions/function-context.ts'
import { describeThrown } from '../functions/thrown-values.ts'
import { returnedValues } from '../results.ts'
import { CallQueue } from './call-queue.ts'
import { definedAt } from './defined-at.ts'
import { type Failure, type Message, type Order, type ThreadStart, words } from './messages.ts'
import { Outgoing } from './outgoing.ts'
import { type CallVoice, TaskCall, type ThreadTask } from './task-call.ts'
import { ThreadMemory } from './thread-memory.ts'
import type { TaskFunction, ThreadTasks } from './thread-tasks.ts'
import { UnreportedBytes } from './unreported-bytes.ts'
import { bytesOf, pack, unpack } from './values.ts'

/** So long attempts are executed in one go; then messages and timers have their turn. */
const sliceMs = 8
/** What is to be told waits for others no longer than this while attempts are executed. */
const tellEveryMs = 1

/**
 * What runs in a thread: takes orders, executes attempts, tells what comes of them.
 *
 * T1 attempts begin in the order in which they came, those that may pass others first, and none while the gate is closed,
 *    or while it would only add to many bytes of arrays that the host has not heard of
 * T2 what an attempt says is told before its end, and nothing after it
 */
export class TaskThread {
  readonly #words: Int32Array
  readonly #memory: ThreadMemory
  readonly #tasks: ThreadTasks
  /** a file or directory of an argument as authors see it */
  readonly #authorValue: (ref: Value) => Value
  readonly #known = new Map<number, ThreadTask>()
  readonly #running = new Map<number, TaskCall>()
  readonly #unreported = new UnreportedBytes()
  readonly #queue = new CallQueue()
  readonly #outgoing: Outgoing
  #width = 1
  #lastBegun = 0
  #closed = false
  #scheduled = false
  #now = 0

  constructor(start: ThreadStart, tasks: ThreadTasks, authorValue: (ref: Value) => Value) {
    this.#outgoing = new Outgoing(start.port)
    this.#words = new Int32Array(start.control)
    this.#memory = new ThreadMemory(start.number, start.keeps)
    this.#tasks = tasks
    this.#authorValue = authorValue
    consoleCapture.open()
    start.port.on('message', (message) => this.#hear(message))
    this.#outgoing.add(['ready'])
  }

  /** Something was thrown that nobody caught: by whose code, if that is known. */
  threw(thrown: unknown): void {
    const call = consoleCapture.current()
    this.#outgoing.add(['threw', call instanceof TaskCall ? call.seq : 0, failureOf(thrown)])
    this.#outgoing.send()
  }

  #hear(message: Message): void {
    const { text, buffers, parts } =
      typeof message === 'string' ? { text: message, buffers: [], parts: [] } : message
    for (const [id, buffer] of buffers) this.#memory.learn(id, buffer)
    for (const order of JSON.parse(text) as Order[]) this.#obey(order, parts)
    this.#pump()
  }

  #obey(order: Order, parts: readonly Uint8Array[]): void {
    switch (order[0]) {
      case 'run': {
        const [, seq, id, inputs, traits, about] = order
        const given = [seq, this.#known.get(id) as ThreadTask, inputs, traits, about] as const
        this.#queue.push(new TaskCall(given, parts, this.#voice, this.#memory))
        return
      }
      case 'task':
        return this.#learn(order)
      case 'width':
        this.#width = order[1]
        return
      case 'cancel': {
        const call = this.#running.get(order[1])
        if (call !== undefined) consoleCapture.run(call, FunctionContext.abort, call.context)
        return
      }
      case 'recalled':
        return this.#recalled(new Set(order[1]))
      case 'free': {
        const dropped = this.#memory.free(order[1])
        if (dropped.length > 0) this.#outgoing.add(['dropped', dropped])
        return
      }
      case 'forget':
        return this.#memory.forget(order[1])
      case 'heard':
        this.#unreported.hear(order[1])
    }
  }

  /** They go elsewhere, and the gate opens. */
  #recalled(gone: ReadonlySet<number>): void {
    this.#queue.drop(gone)
    this.#closed = false
    Atomics.store(this.#words, words.begun, this.#lastBegun)
  }

  #learn([, id, name, at, outputs]: Extract<Order, readonly ['task', ...unknown[]]>): void {
    const task: ThreadTask = {
      ...(outputs !== null && outputs !== undefined && { outputs }),
      found: undefined,
    }
    this.#known.set(id, task)
    void this.#tasks
      .find(name, at)
      .catch((error: unknown) => notFound(error, at[0]))
      .then((found) => {
        task.found = found
        this.#pump()
      })
  }

  /** Begins what may begin. */
  readonly #pump = (): void => {
    if (this.#scheduled || this.#outgoing.executing) return
    this.#outgoing.executing = true
    this.#now = performance.now()
    const until = this.#now + sliceMs
    while (this.#running.size < this.#width && !this.#closed) {
      const call = this.#queue.next
      if (call?.task.found === undefined || (this.#unreported.areMany && !call.takesArrays)) break
      if (!this.#mayBegin(call)) break
      this.#queue.shift()
      this.#begin(call, call.task.found)
      if (this.#outgoing.msSince(this.#now) > tellEveryMs) this.#outgoing.send()
      if (this.#now > until) {
        this.#scheduled = true
        setImmediate(() => {
          this.#scheduled = false
          this.#pump()
        })
        break
      }
    }
    this.#outgoing.executing = false
    this.#outgoing.send()
  }

  #mayBegin({ seq }: TaskCall): boolean {
    const before = this.#lastBegun
    this.#closed = Atomics.compareExchange(this.#words, words.begun, before, seq) !== before
    if (!this.#closed) this.#lastBegun = seq
    return !this.#closed
  }

  #begin(call: TaskCall, found: TaskFunction | Failure): void {
    call.begunAt = this.#now
    if (call.announced) {
      this.#outgoing.add(['begun', call.seq])
      this.#outgoing.send()
      if (this.#width === 1) call.cpu = process.threadCpuUsage()
    }
    if (typeof found !== 'function') return this.#fail(call, found)
    for (const [name, value] of Object.entries(call.variables ?? {})) process.env[name] = value
    let returned: unknown
    try {
      const args = taskArguments(found, this.#arguments(call), call.context)
      returned = consoleCapture.run(call, found, ...args)
    } catch (error) {
      return this.#fail(call, failureOf(error))
    }
    if (!isThenable(returned)) return this.#succeed(call, returned)
    this.#running.set(call.seq, call)
    // of a foreign thenable nothing is trusted, not even that it calls back only once
    const own = returned instanceof Promise ? returned : Promise.resolve(returned)
    own.then(
      (value) => this.#settled(() => this.#succeed(call, value)),
      (error: unknown) => this.#settled(() => this.#fail(call, failureOf(error))),
    )
    this.#now = performance.now()
  }

  #settled(end: () => void): void {
    end()
    this.#pump()
  }

  /** A task called with positions has them in `args`; one called with names gets them as one object. */
  #arguments(call: TaskCall): readonly Value[] {
    const { inputs, parts } = call
    const array = (wire: Parameters<ThreadMemory['array']>[0]): Value =>
      this.#memory.array(wire) as unknown as Value
    const value = unpack(inputs, { parts, array, other: this.#authorValue }) as Readonly<
      Record<string, Value>
    >
    const { args, context } = value
    // documents that the task declares
    if (context !== undefined) call.attempt = { ...call.attempt, inputs: value }
    return Array.isArray(args) ? (args as readonly Value[]) : [value]
  }

  #succeed(call: TaskCall, returned: unknown): void {
    const named = returnedValues(call.task, returned as Value)
    if ('refused' in named) return this.#refuse(call, named.refused)
    const used = new Set<number>()
    let left = 0
    const special = (value: object): unknown => {
      const wire = this.#memory.wire(value, call.taken, (id, buffer) => this.#outgoing.introduce(id, buffer))
      if (wire === undefined) return undefined
      used.add(wire.id)
      left += bytesOf(wire)
      return wire
    }
    const values: Record<string, unknown> = {}
    try {
      for (const [name, value] of Object.entries(named.values)) {
        const path: Path = name === '' ? [] : [name]
        values[name] = pack(value, this.#outgoing.parts, special, path)
      }
    } catch (error) {
      if (!isAlmanacError(error)) return this.#fail(call, failureOf(error))
      const { code, message, details } = error
      return this.#refuse(
        call,
        code === 'ALM_VALUE_REFUSED' ? `at ${details['path']}: ${details['why']}` : message,
      )
    }
    const ms = this.#end(call, used)
    const cpuMs = call.cpu === undefined ? undefined : cpuSince(call.cpu)
    this.#outgoing.add(
      cpuMs === undefined ? ['ok', call.seq, values, ms] : ['ok', call.seq, values, ms, cpuMs],
    )
    const leftInAll = left > 0 ? this.#unreported.leave(left) : undefined
    if (leftInAll !== undefined) this.#outgoing.add(['left', leftInAll])
  }

  #refuse(call: TaskCall, why: string): void {
    const error = errorRecord('ALM_RESULT_REFUSED', { why })
    this.#fail(call, { reason: 'outputs', error, retryable: false })
  }

  #fail(call: TaskCall, failure: Failure): void {
    this.#outgoing.add(['failed', call.seq, failure, this.#end(call, new Set())])
  }

  /** Returns how long it took. Memory that is no result's is free. */
  #end(call: TaskCall, used: ReadonlySet<number>): number {
    call.ended = true
    this.#running.delete(call.seq)
    if (this.#running.size === 0) Atomics.store(this.#words, words.heeds, 0)
    if (call.taken.length > 0) {
      const dropped = this.#memory.free(call.taken.filter((id) => !used.has(id)))
      if (dropped.length > 0) this.#outgoing.add(['dropped', dropped])
    }
    this.#now = performance.now()
    return Math.round((this.#now - call.begunAt) * 1000) / 1000
  }

  readonly #voice: CallVoice = {
    log: (seq, stream, lines) => this.#outgoing.say(['log', seq, stream, lines]),
    note: (seq, { type, name, body }) => this.#outgoing.say(['note', seq, type, name, toWire(body)]),
    heartbeat: (seq) => this.#outgoing.say(['heartbeat', seq]),
    heeds: () => void Atomics.store(this.#words, words.heeds, 1),
  }
}

/** With the place that its module failed at, else that of its definition. */
function notFound(thrown: unknown, at: string | undefined): Failure {
  const { reason, error } = failureOf(thrown)
  const place = error.file === undefined ? definedAt(at) : undefined
  return { reason, error: { ...error, ...place }, retryable: false }
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof RangeError && /allocation failed|Invalid array buffer length/i.test(thrown.message)) {
    const error = errorRecord('ALM_TASK_MEMORY', { why: thrown.message })
    return { reason: 'memory', error, retryable: true }
  }
  return { reason: 'error', ...describeThrown(thrown) }
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null) return false
  return value instanceof Promise || ('then' in value && typeof value.then === 'function')
}
