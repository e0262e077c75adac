import { DigestTable } from '../../core/identity/digest-table.ts'
import { CallKeys, keyText } from '../../core/identity/key.ts'
import { isKeptResult, type Remembered } from '../../core/identity/remembered.ts'
import type { Made } from '../../core/run/events.ts'
import { plainText } from '../../model/codec.ts'
import type { Hash } from '../../model/digest.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { RememberedCall } from '../../model/records.ts'
import type { Digest } from '../../model/refs.ts'
import { FutureRef, HeldRef } from '../../model/refs.ts'
import type { TaskPolicy } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import { eachRef } from '../../model/value-refs.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { CallInfo, NewCall } from './call-info.ts'
import { CallInfos } from './call-infos.ts'

export interface MadeCall {
  readonly info: CallInfo
  readonly made: Made
  readonly plain: string | undefined
}

/**
 * The calls of a run, by number.
 *
 * C1 a call that was made in an earlier life keeps its number and its time.
 * C2 a call is in the table before the machine hears of it.
 * C3 of a call that was released its key and what was called stay: a thousand later calls may take its result.
 */
export class CallTable {
  readonly #infos = new CallInfos()
  readonly #keys: CallKeys
  readonly #remembered: Remembered
  /** calls with a function, by the path of what that calls */
  readonly #functions = new Map<string, number>()
  readonly #isCancelled: boolean
  /** calls that have made held values, by the key that the values bear: of nearly all it stands in the call's own row */
  readonly #makers = new DigestTable((call) => this.#infos.find(call)?.heldKey as Digest)
  /** calls whose values bear another's key too, or several */
  readonly #laterMakers = new Map<Digest, number>()
  #next: number

  constructor(hash: Hash, remembered: Remembered, isCancelled: boolean) {
    this.#keys = new CallKeys(hash)
    this.#remembered = remembered
    this.#next = remembered.nextCall
    this.#isCancelled = isCancelled
  }

  get(call: number): CallInfo {
    return known(this.#infos.find(call), call)
  }

  find(call: number): CallInfo | undefined {
    return this.#infos.find(call)
  }

  /** What was called. */
  readonly request = (call: number): CallRequest => known(this.#infos.requestOf(call), call)

  /** What its results bear that workers hold. */
  readonly heldKey = (call: number): Digest => known(this.#infos.find(call)?.heldKey, call)

  /** Was the call made in this life? */
  has(call: number): boolean {
    return this.#infos.requestOf(call) !== undefined
  }

  /** The journal has all of the call, and nothing more will happen to it: only what later calls need of it stays. */
  release(call: number): void {
    this.#infos.release(call)
  }

  [Symbol.iterator](): IterableIterator<CallInfo> {
    return this.#infos[Symbol.iterator]()
  }

  /** The call whose function makes calls under a path; undefined for the workflow's own. */
  functionAt(path: string): number | undefined {
    return this.#functions.get(path)
  }

  /** Does a worker hold something of what the call gave, and is there a copy of all that it does? It is that call's now. */
  heldIn(info: CallInfo, value: Value): { readonly held: boolean; readonly copied: boolean } {
    let held = false
    let copied = true
    eachRef(value, (ref) => {
      if (!(ref instanceof HeldRef)) return
      held = true
      copied &&= ref.copy !== undefined
      info.heldKey ??= ref.key
      this.#isMadeBy(info, ref.key)
    })
    return { held, copied: held && copied }
  }

  #isMadeBy({ id, heldKey }: CallInfo, key: Digest): void {
    const maker = key === heldKey ? (this.#makers.enter(key, id) ?? id) : undefined
    if (maker !== id || this.#laterMakers.has(key)) this.#laterMakers.set(key, id)
  }

  /** The calls whose held results bear these keys. */
  makersOf(keys: readonly Digest[]): readonly number[] | undefined {
    if (keys.length === 0) return undefined
    return [...new Set(keys.flatMap((key) => this.#laterMakers.get(key) ?? this.#makers.find(key) ?? []))]
  }

  /** Makes a call: what is kept of it, what the machine is told, and its arguments as JSON, where they are plain. */
  make(call: NewCall, now: number): MadeCall {
    const { caller, request, args, parent } = call
    const { name, kind } = request
    const plain = plainText(args)
    const met =
      plain === undefined || call.key !== undefined
        ? undefined
        : this.#remembered.next(caller, kind, name, plain)
    const key = met?.key ?? this.#keyFor(call, plain)
    const own = met ?? this.#remembered.made(key)
    const id = own?.call ?? this.#next++
    const path = kind === 'child' || kind === 'map' ? this.#keys.path(caller, name, call.key) : caller
    const isPlain = plain !== undefined
    const madeAt = own?.at ?? now
    const info = this.#infos.add({
      id,
      key,
      caller,
      path,
      request,
      args,
      isPlain,
      own,
      madeAt,
      entry: call.entry,
    })
    if (kind === 'child') this.#functions.set(path, id)
    const { attempts, spent } = own === undefined ? noAttempts : attemptsOf(own)
    const givenUp = this.#isCancelled ? givenUpOf(own) : undefined
    const made: Made = {
      kind: 'made',
      call: id,
      callKind: kind,
      inputs: plain === undefined ? inputsOf(args) : noInputs,
      policy: request.task?.policy ?? builtInPolicy,
      parent,
      tolerant: request.tolerant === true,
      // what was being made anew when it was given up ends anew
      order: givenUp === 'unrecorded' ? undefined : own?.outcome?.order,
      failure: failureOf(own),
      attempts,
      spent,
      givenUp: givenUp !== undefined,
    }
    return { info, made, plain }
  }

  #keyFor({ caller, request, args, key }: NewCall, plain: string | undefined): Digest {
    const text = plain ?? keyText(args, this.#keyOf)
    const name = `${request.kind} ${request.name}`
    const parts = { caller, name, key, args: text }
    // others have no equals among calls that are known by their texts
    if (plain === undefined || (key !== undefined && key !== '')) return this.#keys.key(parts)
    this.#remembered.leaveOrder()
    return this.#keys.key(parts, this.#wasMet)
  }

  readonly #wasMet = (key: Digest, name: string): boolean => this.#remembered.wasMet(key, name)

  readonly #keyOf = (call: number): Digest => known(this.#infos.keyOf(call), call)
}

function known<T>(found: T | undefined, call: number): T {
  if (found === undefined) throw new AlmanacError('ALM_BUG', { why: `there is no call ${call}` })
  return found
}

/** A result that was kept over a skip or a cancellation is a success as soon as it is claimed. */
function failureOf(own: RememberedCall | undefined): Made['failure'] {
  const outcome = own?.outcome
  if (outcome === undefined || outcome.state === 'succeeded') return undefined
  if (outcome.reason === 'upstream') return 'upstream'
  return isKeptResult(outcome) ? undefined : 'own'
}

/**
 * Did the cancellation of an earlier life of the run give it up? `unrecorded`: that life did not come to say so, be it
 * that it was done for the first time, or again as its code had changed.
 */
function givenUpOf(own: RememberedCall | undefined): 'recorded' | 'unrecorded' | undefined {
  if (own?.outcome?.state === 'cancelled') return 'recorded'
  const last = own?.outcome?.attempt ?? 0
  const isStopping = own?.attempts.some(({ attempt, phase }) => phase === 'stopping' && attempt > last)
  return isStopping === true ? 'unrecorded' : undefined
}

/** Attempts begun in earlier lives, and those that count: an outcome ends the count, a call that does not keep it starts anew. */
function attemptsOf(own: RememberedCall): { readonly attempts: number; readonly spent: number } {
  const last = own.outcome?.attempt ?? 0
  let [attempts, spent] = [last, 0]
  for (const { attempt, phase, spent: counts } of own.attempts ?? []) {
    attempts = Math.max(attempts, attempt)
    if (attempt > last && phase === 'failed' && counts !== false) spent++
  }
  return { attempts, spent }
}

const noAttempts = { attempts: 0, spent: 0 } as const

const noInputs: readonly number[] = []

/** The calls that the arguments hold futures of. */
function inputsOf(args: Value): readonly number[] {
  const inputs: number[] = []
  eachRef(args, (ref) => {
    if (ref instanceof FutureRef) inputs.push(ref.call)
  })
  if (inputs.length === 0) return noInputs
  return inputs.length === 1 ? inputs : [...new Set(inputs)]
}

/** Of calls that are no task. */
const builtInPolicy: TaskPolicy = {
  retries: { count: 0, delayMs: 0, backoff: 1, maxDelayMs: 0, jitter: 0, memoryFactor: 1 },
  effect: false,
  random: false,
  location: false,
  cpu: 0,
  memoryBytes: 0,
  priority: 0,
  onFailure: 'fail',
}
