import { decode } from '../../model/codec.ts'
import { type DocumentKey, documentJson, documentText, patched } from '../../model/document.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import type { CallKind, RememberedCall } from '../../model/records.ts'
import { FutureRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import type { DocumentWrite } from '../../ports/documents.ts'
import type { CallInfo, NewCall } from '../calls/call-info.ts'
import { EnteredWork, type Left } from '../calls/entered-work.ts'
import { resolve } from '../calls/views.ts'
import type { RunContext } from '../run-context.ts'

/** A document as its calls give it. */
interface State {
  readonly value: Value
  readonly version: number
}

interface GetArgs {
  readonly newest: boolean
  readonly version: number | null
  /** what it is where nobody has written it */
  readonly initial?: { readonly value: Value }
  /** the write before it in the order of the program */
  readonly after: Value
}

interface WriteArgs {
  readonly value: Value
  readonly seen: number | 'newest' | null
  /** what fields are merged into where nobody has written it */
  readonly initial?: { readonly value: Value }
  /** what the run saw last, in the order of the program: the version of a call, or a number; null for nothing */
  readonly upon: Value
  readonly after: Value
}

/** What the calls made so far say of a document. */
interface Sight {
  /** the get that others share, until the run writes */
  get?: { readonly id: number; readonly call: NewCall }
  write?: number
  upon: Value
  /** what `upon` was before the write */
  before: Value
  /** failures that the workflow has been told of: what it asks then is asked anew */
  again: number
}

/** Writes that merge are tried again so often where others write at the same time. */
const mostTries = 100

/** Is it a call of `run.context`? */
export const isDocumentCall = (kind: CallKind): boolean =>
  kind === 'get' || kind === 'put' || kind === 'patch'

/**
 * What a run reads of documents and writes to them.
 *
 * R1 a call sees what the calls before it wrote, in the order of the program, and of others what was there when the run
 *    first asked: a document stands still within a run, in this life and in later ones, until the run writes it, or has
 *    been told that a write was refused.
 * R2 equal gets between two writes are one call, whoever makes them: what a document holds is recorded once.
 * R3 a document is written when all that the run has recorded so far is durable, and once by a call and fingerprint.
 * R4 in a dry run nothing is written.
 */
export class DocumentCalls {
  readonly #run: RunContext
  readonly #workflow: string
  readonly #work: EnteredWork
  readonly #sights = new Map<string, Sight>()
  readonly #placeOf = new Map<number, string>()
  /** the version that the run first saw, by place */
  readonly #first = new Map<string, number>()

  constructor(run: RunContext, workflow: string, remembered: readonly RememberedCall[], left: Left) {
    this.#run = run
    this.#workflow = workflow
    this.#work = new EnteredWork(run, left)
    const known = remembered.filter(
      ({ call_kind: kind, name, outcome }) =>
        kind === 'get' && !name.includes('@') && outcome?.state === 'succeeded',
    )
    known.sort((a, b) => (a.outcome?.order ?? 0) - (b.outcome?.order ?? 0))
    for (const { name, outcome } of known) {
      const { version } = decode(outcome?.valueWire ?? '') as unknown as State
      if (!this.#first.has(name)) this.#first.set(name, version)
    }
  }

  /** Reading and writing goes on by itself. */
  get isBusy(): boolean {
    return this.#work.isBusy
  }

  /** Has a call made as it is to be made, if it is one of these; gives its number, or that of one with its answer. */
  through(call: NewCall, make: (prepared: NewCall) => number): number {
    const prepared = isDocumentCall(call.request.kind) ? this.#prepare(call) : call
    return typeof prepared === 'number' ? prepared : make(prepared)
  }

  /** The call that is to be made, or the number of one made before that has its answer. */
  #prepare(call: NewCall): NewCall | number {
    const { request, args } = call
    const { name, kind } = request
    const { get, write, upon, again } = this.#sight(name)
    const after = write === undefined ? null : new FutureRef(write, [])
    const order = { after, ...(again > 0 && { again }) }
    const given = args as { readonly [key: string]: Value }
    if (kind !== 'get') return { ...call, args: { ...given, upon: kind === 'put' ? upon : null, ...order } }
    const { newest, version } = given as unknown as GetArgs
    const which = version !== null ? `${name}@${version}` : newest ? `${name}@newest` : name
    const isShared = get !== undefined && which === name && get.call.request.check === request.check
    if (isShared && equalInitial(get.call, call)) return get.id
    return { ...call, request: { ...request, name: which }, args: { ...given, ...order } }
  }

  made(call: NewCall, id: number): void {
    const { kind, name } = call.request
    const place = name.replace(/@.*$/, '')
    const sight = this.#sight(place)
    this.#placeOf.set(id, place)
    if (kind !== 'get') {
      sight.before = sight.upon
      sight.write = id
      delete sight.get
    } else if (/@\d+$/.test(name)) return
    else sight.get = { id, call }
    sight.upon = new FutureRef(id, ['version'])
  }

  /** The same, and heeds that the workflow is told of the failure: it may try anew. */
  heeding<At>(call: number, fail: (error: unknown, at: At) => void): (error: unknown, at: At) => void {
    const place = this.#placeOf.size === 0 ? undefined : this.#placeOf.get(call)
    if (place === undefined) return fail
    return (error, at) => {
      this.#told(call, place, error)
      fail(error, at)
    }
  }

  #told(call: number, place: string, error: unknown): void {
    const sight = this.#sight(place)
    if (sight.get?.id === call) {
      delete sight.get
      const isUnknown = isAlmanacError(error) && error.code === 'ALM_CONTEXT_UNKNOWN'
      const { write } = sight
      sight.upon = isUnknown ? 0 : write === undefined ? null : new FutureRef(write, ['version'])
    } else if (sight.write === call) {
      delete sight.write
      delete sight.get
      sight.upon = sight.before
    } else return
    sight.again++
  }

  enter(info: CallInfo): void {
    // like a task that a dry run does not start
    if (info.request.kind !== 'get' && this.#run.settings.dryRun) return
    this.#work.begin(info, info.request.kind === 'get' ? this.#read(info) : this.#written(info))
  }

  async #read(info: CallInfo): Promise<State> {
    const { newest, version, initial, after } = this.#resolved(info) as unknown as GetArgs & Again
    const place = this.#placeOf.get(info.id) as string
    const { again = 0 } = info.args as unknown as Again
    const written = (after as unknown as State | null)?.version
    const stands = version === null && !newest && written === undefined && again === 0
    const wanted =
      version ?? (newest ? undefined : (written ?? (stands ? this.#first.get(place) : undefined)))
    const key = this.#key(place)
    const found = wanted === 0 ? undefined : await this.#run.ports.documents.version(key, wanted)
    if (found === undefined && (initial === undefined || (wanted !== undefined && wanted > 0))) {
      const which = wanted === undefined || wanted === 0 ? '' : `@${wanted}`
      throw new AlmanacError('ALM_CONTEXT_UNKNOWN', { document: documentText(key) + which })
    }
    if (stands && !this.#first.has(place)) this.#first.set(place, found?.version ?? 0)
    const value =
      found === undefined ? (initial as { value: Value }).value : (JSON.parse(found.json) as Value)
    return this.#checked(info, { value, version: found?.version ?? 0 })
  }

  async #written(info: CallInfo): Promise<State> {
    const args = this.#resolved(info) as unknown as WriteArgs
    const { value, seen, upon } = args
    const { ports, recorder, id } = this.#run
    const { fingerprint } = info
    const key = this.#key(this.#placeOf.get(info.id) as string)
    await recorder.durable()
    const write = async (whole: Value, upon: number | undefined): Promise<State> => {
      const checked = await this.#checked(info, { value: whole, version: 0 })
      const written: DocumentWrite = {
        ...key,
        json: documentJson(checked.value),
        run: id,
        call: info.id,
        maker: info.request.kind,
        madeAt: ports.clock.now(),
        ...(fingerprint !== undefined && { fingerprint }),
        ...(upon !== undefined && { seen: upon }),
      }
      const { version, json } = await ports.documents.write(written)
      return { value: JSON.parse(json) as Value, version }
    }
    if (info.request.kind === 'patch') return this.#merged(key, args, write)
    return write(value, seen === 'newest' ? undefined : (seen ?? (upon as number | null) ?? undefined))
  }

  /** Others that write at the same time are no conflict: the fields are merged into what they wrote. */
  async #merged(
    key: DocumentKey,
    { value: fields, seen, initial }: WriteArgs,
    write: (whole: Value, upon: number) => Promise<State>,
  ): Promise<State> {
    const { documents } = this.#run.ports
    for (let tries = 1; ; tries++) {
      const newest = await documents.version(key)
      const base = newest === undefined ? (initial?.value ?? {}) : (JSON.parse(newest.json) as Value)
      const upon = typeof seen === 'number' ? seen : (newest?.version ?? 0)
      try {
        return await write(patched(base, fields), upon)
      } catch (error) {
        const isMoved = isAlmanacError(error) && error.code === 'ALM_CONTEXT_MOVED'
        if (!isMoved || typeof seen === 'number' || tries >= mostTries) throw error
      }
    }
  }

  async #checked(info: CallInfo, state: State): Promise<State> {
    const { check } = info.request
    if (check === undefined) return state
    const { value } = (await check(state as unknown as Value)) as unknown as State
    return { value, version: state.version }
  }

  #resolved(info: CallInfo): Value {
    const { outcomes, calls } = this.#run
    return resolve(info.args, { outcomes, request: calls.request })
  }

  #sight(place: string): Sight {
    let sight = this.#sights.get(place)
    if (sight === undefined) {
      sight = { upon: null, before: null, again: 0 }
      this.#sights.set(place, sight)
    }
    return sight
  }

  #key(place: string): DocumentKey {
    const { id, settings } = this.#run
    const [whose = '', name = ''] = place.split('/')
    const scope = whose === 'run' ? `run:${id}` : whose === 'workflow' ? `workflow:${this.#workflow}` : whose
    return { environment: settings.environment, scope, name }
  }
}

interface Again {
  readonly again?: number
}

const equalInitial = (a: NewCall, b: NewCall): boolean =>
  JSON.stringify((a.args as unknown as GetArgs).initial) ===
  JSON.stringify((b.args as unknown as GetArgs).initial)

/** Documents of which a person's resume asks anew: a write of theirs was refused, and nobody took care of it. */
export function movedDocuments(remembered: readonly RememberedCall[], calls: ReadonlySet<number>): number[] {
  const moved = new Set<string>()
  for (const { call, call_kind: kind, name, outcome } of remembered)
    if (isDocumentCall(kind) && calls.has(call) && outcome?.error?.code === 'ALM_CONTEXT_MOVED')
      moved.add(name)
  if (moved.size === 0) return []
  return remembered
    .filter(({ call_kind: kind, name }) => kind === 'get' && moved.has(name.replace(/@.*$/, '')))
    .map(({ call }) => call)
}
