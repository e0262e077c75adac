import { canonical, isAt, valueAt } from '../../core/identity/canonical.ts'
import { decode } from '../../model/codec.ts'
import type { Hash } from '../../model/digest.ts'
import { AlmanacError, errorRecord } from '../../model/errors.ts'
import type { Path } from '../../model/path.ts'
import type { ErrorRecord } from '../../model/records.ts'
import { type Digest, FutureRef, HeldRef, SpilledRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { eachRef, mapRefs } from '../../model/value-refs.ts'
import { ChurnMap } from '../../util/churn-map.ts'
import { missing } from './missing-field.ts'
import { ReleasedValue, ReleasedValues } from './released-values.ts'

/** How a call ended, with the value or the error. */
export interface CallOutcome {
  readonly value?: Value
  readonly error?: ErrorRecord
  /** where a large value is kept */
  readonly spilled?: SpilledRef
  /** what workers held of it is gone: its handles may stand for something else by now */
  readonly isGone?: boolean
  /** the value as it was remembered, read when somebody asks for it: it holds no reference */
  readonly unread?: Unread | undefined
}

/** The JSON of a value, or the blob of that. */
export type Unread = string | SpilledRef

/** Texts of values up to this length stand for themselves in a fingerprint, longer ones by their digest. */
export const shortText = 256

/**
 * The outcomes of a run's calls, in memory.
 *
 * O1 a value is hashed once to be recorded and once for all of its consumers, which hash the digest.
 * O2 what stands for a value in a fingerprint is the same whether it was passed as a future or awaited first; within a structure,
 *    up to `shortText` characters.
 * O3 what was remembered is read when somebody asks for it: a function that awaits it, a task that is executed with it.
 * O4 what is gone, or was let go of, is under no handle any more; its value can be asked for all the same.
 */
export class Outcomes {
  readonly #hash: Hash
  // by call: a number each, nearly all of them there
  readonly #values: (Value | ReleasedValue)[] = []
  // of few calls
  readonly #errors = new Map<number, ErrorRecord>()
  /** what there is to say of one is known by its number: all calls of a run may be among them at once */
  readonly #cancelled: (true | undefined)[] = []
  readonly #spilled = new Map<number, SpilledRef>()
  /** as they were remembered */
  readonly #digests = new Map<number, Digest>()
  /** by key: of nearly all calls one, which is there itself; else by path */
  readonly #held = new ChurnMap<Digest, HeldRef | Map<string, HeldRef>>()
  /** calls by the handles that their results have, or had in this life */
  readonly #holding = new ChurnMap<number, number>()
  readonly #released = new ReleasedValues()
  #areHeld = false
  readonly #fieldTexts = new Map<string, string>()
  readonly #unread = new Map<number, Unread>()
  readonly #read: (ref: SpilledRef) => Value
  readonly #heldKey: (call: number) => Digest

  /** `read`: what a blob stands for; `heldKey`: what the results of a call bear that workers hold */
  constructor(hash: Hash, read: (ref: SpilledRef) => Value, heldKey: (call: number) => Digest) {
    this.#hash = hash
    this.#read = read
    this.#heldKey = heldKey
  }

  set(call: number, outcome: CallOutcome, digest?: Digest): void {
    const { value, error, spilled, unread } = outcome
    this.#values[call] = value
    put(this.#errors, call, error)
    if (this.#cancelled[call] === true) this.#cancelled[call] = undefined
    put(this.#spilled, call, spilled)
    put(this.#unread, call, unread)
    put(this.#digests, call, digest)
    if (typeof value === 'object' && value !== null) this.#holdThoseOf(call, value, outcome.isGone === true)
  }

  #holdThoseOf(call: number, value: Value, isGone: boolean): void {
    eachRef(value, (ref) => {
      if (!(ref instanceof HeldRef)) return
      this.#areHeld = true
      if (isGone) return
      this.#hold(ref)
      this.#holding.set(ref.handle, call)
    })
  }

  /** What workers held of its value they hold no more; only this call's results bear the key. */
  letGo(call: number, key: Digest): void {
    const value = this.seen(call)
    const left = this.#released.of(value, key)
    if (left === undefined) return
    eachRef(value, (ref) => {
      if (ref instanceof HeldRef) this.#holding.delete(ref.handle)
    })
    this.#held.delete(key)
    this.#values[call] = left
  }

  /** It has failed, or it is not to be done; what it gave before stays. */
  fail(call: number, error: ErrorRecord): void {
    this.#errors.set(call, error)
  }

  /** It is not to be done, as the run was cancelled; what it gave before stays. */
  cancel(call: number): void {
    put(this.#errors, call, undefined)
    this.#cancelled[call] = true
  }

  /** Held values as they are held now: one that was made again lies elsewhere than when it was recorded. */
  current(args: Value): Value {
    return this.#held.size === 0 ? args : this.#heldIn(args)
  }

  #heldIn(args: Value): Value {
    return mapRefs(args, (ref) => (ref instanceof HeldRef ? this.#heldNow(ref) : ref))
  }

  #hold(ref: HeldRef): void {
    const known = this.#held.get(ref.key)
    if (known instanceof Map) known.set(pathOf(ref), ref)
    else if (known === undefined || pathOf(known) === pathOf(ref)) this.#held.set(ref.key, ref)
    else {
      const byPath = new Map([known, ref].map((one) => [pathOf(one), one]))
      this.#held.set(ref.key, byPath)
    }
  }

  #heldNow(ref: HeldRef): HeldRef {
    const known = this.#held.get(ref.key)
    if (known instanceof Map) return known.get(pathOf(ref)) ?? ref
    return known !== undefined && pathOf(known) === pathOf(ref) ? known : ref
  }

  /** Calls whose results are held under these handles now. */
  callsHolding(handles: readonly number[]): number[] {
    const gone = new Set(handles)
    const calls = new Set<number>()
    for (const handle of handles) {
      const call = this.#holding.get(handle)
      if (call === undefined || calls.has(call)) continue
      eachRef(this.seen(call), (ref) => {
        if (ref instanceof HeldRef && gone.has(ref.handle)) calls.add(call)
      })
    }
    return [...calls]
  }

  /** Is there a value that lives, or lived, in a worker's memory? */
  get areHeld(): boolean {
    return this.#areHeld
  }

  /** Does the value of a call live in a worker's memory, or did it? */
  isHeldOf(call: number): boolean {
    return this.#areHeld && (this.#values[call] instanceof ReleasedValue || this.isHeld(this.seen(call)))
  }

  isHeld(value: Value): boolean {
    let held = false
    eachRef(value, (ref) => {
      held ||= ref instanceof HeldRef
    })
    return held
  }

  value(call: number): Value {
    if (this.#unread.size > 0) this.#load(call)
    const value = this.#values[call]
    return value instanceof ReleasedValue ? value.whole(this.#heldKey(call)) : value
  }

  /** Does its value wait to be read? It holds no reference then. */
  isUnread(call: number): boolean {
    return this.#unread.has(call)
  }

  /** Its value, unless that waits to be read, or was let go of: then there is nothing in it that is held. */
  seen(call: number): Value {
    const value = this.#values[call]
    return value instanceof ReleasedValue ? undefined : value
  }

  #load(call: number): void {
    const unread = this.#unread.get(call)
    if (unread === undefined) return
    this.#values[call] = typeof unread === 'string' ? decode(unread) : this.#read(unread)
    this.#unread.delete(call)
  }

  error(call: number): ErrorRecord | undefined {
    const error = this.#errors.get(call)
    if (error !== undefined || this.#cancelled[call] !== true) return error
    return errorRecord('ALM_CANCELLED', {}, { call })
  }

  /** Where a large value is kept. */
  spilled(call: number): SpilledRef | undefined {
    return this.#spilled.get(call)
  }

  /** Nobody will ask for its value again. */
  drop(call: number): void {
    this.#values[call] = undefined
    put(this.#unread, call, undefined)
  }

  /** How many values are kept. */
  get kept(): number {
    return this.#values.reduce<number>((kept, value) => (value === undefined ? kept : kept + 1), 0)
  }

  /** Asked for once, when the outcome is recorded: it is not kept. */
  digest(call: number): Digest {
    return this.#digests.get(call) ?? this.#hash(canonical(this.value(call), { future: noFuture }))
  }

  /** @throws ALM_FIELD_MISSING */
  field(ref: FutureRef, name: string): Value {
    const value = this.value(ref.call)
    if (!isAt(value, ref.path))
      throw new AlmanacError('ALM_FIELD_MISSING', { task: name, ...missing(value, ref.path) })
    return valueAt(value, ref.path)
  }

  /** What stands for a value in a fingerprint. */
  text(value: Value): string {
    if (value instanceof FutureRef && this.#unread.size > 0) {
      const digest = this.#unreadDigest(value)
      if (digest !== undefined) return `D${digest}`
    }
    return this.#shorten(canonical(value, { future: (ref) => this.#fieldText(ref) }))
  }

  /** Of a plain value in a blob: the digest is that of its canonical text. */
  #unreadDigest({ call, path }: FutureRef): Digest | undefined {
    const unread = path.length === 0 ? this.#unread.get(call) : undefined
    return unread instanceof SpilledRef && unread.plain !== undefined ? unread.digest : undefined
  }

  #fieldText(ref: FutureRef): string {
    if (this.#unread.size > 0) {
      const unread = this.#unread.get(ref.call)
      const digest = this.#unreadDigest(ref)
      // a text stands for itself within what it is a part of
      if (digest !== undefined && unread instanceof SpilledRef && unread.plain === 'object')
        return `D${digest}`
    }
    const value = this.value(ref.call)
    if (typeof value !== 'object' || value === null)
      return canonical(valueAt(value, ref.path), { future: noFuture })
    const id = `${ref.call} ${JSON.stringify(ref.path satisfies Path)}`
    let text = this.#fieldTexts.get(id)
    if (text === undefined) {
      const field = valueAt(value, ref.path)
      text = this.#shorten(canonical(field, { future: noFuture }))
      // what is held is short, and there is one for each of many calls
      const isKept = typeof field === 'object' && field !== null && !(field instanceof HeldRef)
      if (isKept) this.#fieldTexts.set(id, text)
    }
    return text
  }

  #shorten(text: string): string {
    return text.length <= shortText ? text : `D${this.#hash(text)}`
  }
}

function put<T>(of: Map<number, T>, call: number, one: T | undefined): void {
  if (one !== undefined) of.set(call, one)
  else if (of.size > 0) of.delete(call)
}

const noFuture = (): string => {
  throw new AlmanacError('ALM_BUG', { why: 'a result holds a future' })
}

const pathOf = ({ path }: HeldRef): string => JSON.stringify(path)
