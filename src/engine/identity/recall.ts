import { isKeptResult } from '../../core/identity/remembered.ts'
import type { EndStatus } from '../../core/run/call.ts'
import { decode } from '../../model/codec.ts'
import type { RememberedCall } from '../../model/records.ts'
import { type Digest, SpilledRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { CallInfo, TaskIdentity } from '../calls/call-info.ts'
import { replayed } from '../calls/ends.ts'
import { recordOf } from '../calls/failure.ts'
import type { CallOutcome } from '../calls/outcomes.ts'
import { unspilled } from '../calls/spilled-values.ts'
import { shownIn } from '../notes/result-notes.ts'
import type { RunContext } from '../run-context.ts'
import { filesGone, findEntry, isOld } from './cache-entry.ts'
import { Identifier, type Identity } from './identifier.ts'

/** Characters of a remembered value up to which it is as well read at once. */
const readAtOnce = 256

/** Nothing in it is to be looked at before somebody asks for it: it is long, and holds no reference. */
const isReadLater = (wire: string): boolean => wire.length > readAtOnce && !wire.includes('"$"')

/**
 * Finds out what a call is known by, and takes what is remembered or cached under that.
 *
 * B1 a call that was given up meanwhile takes nothing that others could.
 * B2 a result whose files are gone is not taken.
 */
export class Recall {
  readonly #run: RunContext
  readonly #identifier: Identifier
  /** calls that are identified when their task is */
  readonly #waiting = new Map<TaskSpec, number[]>()
  /** do attempts of the task leave this process's control? */
  readonly #leaves: (task: TaskSpec) => boolean
  /** a function is making calls: the event loop does not turn */
  isGoingOn = false

  constructor(
    run: RunContext,
    leaves: (task: TaskSpec) => boolean,
    warn: (task: TaskSpec, warning: string) => void,
  ) {
    this.#run = run
    this.#leaves = leaves
    this.#identifier = new Identifier(run.ports, run.outcomes, (call) => run.calls.request(call).name, warn)
  }

  /** A call of the task was made, which is to be identified in time. */
  expect(task: TaskSpec): void {
    this.#identifier.expect(task)
  }

  identify(info: CallInfo): void {
    const { task } = info.request
    const known = this.#identifier.known(info.request)
    const isNow = known !== undefined && !(this.isGoingOn && this.#isEnoughReady)
    if (isNow || task === undefined) return this.#identifyAs(info, known as TaskIdentity)
    const waiting = this.#waiting.get(task)
    if (waiting === undefined) this.#awaitTask(task, [info.id], known)
    else waiting.push(info.id)
  }

  /** What executors have is more than they do before the function has made its calls; nothing is heard until then. */
  get #isEnoughReady(): boolean {
    const { remembered, machine } = this.#run
    return remembered.unclaimed === 0 && machine.graph.count('ready') >= readyAtMost
  }

  /**
   * All calls of a task that is not known yet wait for it together: there may be a million. Those that may start do so
   * before all have been looked at; what comes meanwhile waits behind them.
   */
  #awaitTask(task: TaskSpec, waiting: number[], known: TaskIdentity | undefined): void {
    this.#waiting.set(task, waiting)
    const each = async (deal: (info: CallInfo) => void): Promise<void> => {
      for (let at = 0; at < waiting.length; at++) {
        deal(this.#run.calls.get(waiting[at] as number))
        if (at % dealtAtOnce === dealtAtOnce - 1) await this.#others()
      }
      this.#waiting.delete(task)
    }
    const found = known === undefined ? this.#identifier.lookUp(task) : Promise.resolve(known)
    found.then(
      (known) => each((info) => this.#identifyAs(info, known)),
      (error: unknown) => each((info) => this.#refused(info, error)),
    )
  }

  /** What has happened meanwhile is heard of. */
  #others(): Promise<void> {
    return new Promise((resolve) => {
      this.#run.ports.clock.atRest(resolve)
    })
  }

  #identifyAs(info: CallInfo, known: TaskIdentity): void {
    try {
      this.#identified(info, this.#identifier.identify(info, known))
    } catch (error) {
      this.#refused(info, error)
    }
  }

  async lookup(info: CallInfo): Promise<void> {
    const { ports, outcomes, dispatch, isIn, abort, work, id } = this.#run
    const { claim } = info
    const holder = claim?.waitsFor
    if (claim !== undefined && holder !== undefined) {
      claim.waitsFor = undefined
      info.verdict = 'waited'
      return work.wait(id, holder, () => void this.lookup(info))
    }
    try {
      const found = await findEntry(ports, info)
      if (!isIn(info, 'lookup')) return
      if (found === undefined || found.isGone) {
        if (claim !== undefined && info.verdict === 'waited') claim.vain++
        info.verdict = found !== undefined ? 'gone' : (await isOld(ports, info)) ? 'old' : 'miss'
        if (!isIn(info, 'lookup')) return
        return dispatch({ kind: 'missed', call: info.id })
      }
      const { entry, value, spilled } = found
      outcomes.set(info.id, { value, ...(spilled && { spilled }), isGone: true }, entry.digest)
      this.#run.notes.again(info.id, shownIn(entry.shownWire))
      info.origin = { run: entry.run, call: entry.call }
      info.costMs = entry.costMs
      if (info.verdict !== 'waited') info.verdict = 'hit'
      const { held: lost, copied } = this.#run.calls.heldIn(info, value)
      dispatch({ kind: 'hit', call: info.id, lost, copied })
    } catch (error) {
      abort(error)
    }
  }

  #refused(info: CallInfo, error: unknown): void {
    info.lastError = recordOf(error)
    this.#run.dispatch({ kind: 'refused', call: info.id })
  }

  #identified(info: CallInfo, identity: Identity): void {
    info.identity = identity.of
    info.cacheable = identity.cacheable && this.#areOfCached(identity.heldKeys)
    if (!this.#run.isIn(info, 'identify')) return
    const { remembered } = this.#run
    const { own, caller, request } = info
    // most calls of a new run: nothing is under their fingerprint, and nothing can be wrong with it
    const isAttempted = request.kind === 'task' || request.kind === 'entry'
    const isNew = own === undefined && remembered.unclaimed === 0 && !info.cacheable
    if (isAttempted && isNew && identity.isFree) return this.#unremembered(info, identity)
    const fingerprint = identity.of.fingerprint(info.args)
    info.fingerprint = fingerprint
    const found = remembered.claim(own, caller, request.name, fingerprint)
    if (found?.outcome === undefined) return this.#unremembered(info, identity)
    const { valueWire } = found.outcome
    if (valueWire !== undefined && isReadLater(valueWire))
      return this.#take(info, identity, found, { unread: valueWire })
    const value = valueWire === undefined ? undefined : decode(valueWire)
    if (value instanceof SpilledRef) return this.#load(info, identity, found, value)
    const missing = filesGone(value, this.#run.ports.data)
    if (missing === undefined) this.#take(info, identity, found, { value })
    else this.#takeUnless(missing, info, identity, found, value)
  }

  #takeUnless(
    missing: Promise<boolean>,
    info: CallInfo,
    identity: Identity,
    found: RememberedCall,
    value: Value,
  ): void {
    missing.then(
      (gone) => (gone ? this.#unremembered(info, identity) : this.#take(info, identity, found, { value })),
      (error: unknown) => this.#refused(info, error),
    )
  }

  #load(info: CallInfo, identity: Identity, found: RememberedCall, spilled: SpilledRef): void {
    const { data } = this.#run.ports
    const unread = { spilled, unread: spilled }
    if (data.hasNow(spilled)) return this.#take(info, identity, found, unread)
    // it is damaged, or nothing was asked of the store so far, or it keeps little here
    const known = async (): Promise<CallOutcome | undefined> => {
      if ((await data.available(spilled)) && data.hasNow(spilled)) return unread
      const value = await unspilled(spilled, data)
      return value === undefined ? undefined : { value, spilled }
    }
    known().then(
      (result) =>
        result === undefined ? this.#unremembered(info, identity) : this.#take(info, identity, found, result),
      (error: unknown) => this.#refused(info, error),
    )
  }

  #take(info: CallInfo, identity: Identity, found: RememberedCall, result: CallOutcome): void {
    const { calls, outcomes, dispatch, isIn, id } = this.#run
    if (!isIn(info, 'identify')) return
    const outcome = found.outcome as NonNullable<RememberedCall['outcome']>
    // it lived in workers that are gone: what has no copy is made again when somebody needs it
    const { held: lost, copied } = calls.heldIn(info, result.value)
    const isOwn = found === info.own
    const isKept = isKeptResult(outcome)
    const error = isKept ? undefined : outcome.error
    outcomes.set(info.id, { ...result, ...(error && { error }), isGone: true }, outcome.digest)
    info.lastError = error
    info.costMs = outcome.costMs
    info.map = outcome.map
    if (outcome.message !== undefined) info.message = outcome.message
    info.takenFrom = isOwn ? undefined : found.call
    info.origin = isOwn ? outcome.origin : { run: id, call: found.call }
    const status = isKept || (!isOwn && outcome.state === 'succeeded') ? replayed : outcome
    dispatch({
      kind: 'remembered',
      call: info.id,
      status: { state: status.state, reason: status.reason } as EndStatus,
      // the order is that of the skip, not of the result
      order: isKept ? undefined : outcome.order,
      own: isOwn,
      lost,
      copied,
      heldInputs: calls.makersOf(identity.heldKeys),
    })
  }

  /** An array counts by the call that made it: that says what is in it only where that call may be cached itself. */
  #areOfCached(heldKeys: readonly Digest[]): boolean {
    const { calls } = this.#run
    return heldKeys.every((key) => {
      const [maker] = calls.makersOf([key]) ?? []
      return maker !== undefined && calls.get(maker).cacheable
    })
  }

  #unremembered(info: CallInfo, identity: Identity): void {
    const { settings, calls, dispatch } = this.#run
    const { task, kind } = info.request
    const before = info.own?.outcome?.fingerprint
    const isOther = before !== undefined && before !== info.fingerprint
    info.verdict = info.cacheable ? verdicts[settings.cache] : isOther ? 'other' : 'off'
    dispatch({
      kind: 'identified',
      call: info.id,
      lookup: info.cacheable && kind !== 'map' && settings.cache === 'on',
      heldInputs: calls.makersOf(identity.heldKeys),
      afterCommit: task !== undefined && (task.policy.effect || this.#leaves(task)),
    })
  }
}

/** of a call that the run cache may serve, by its use */
const verdicts = { on: 'miss', off: 'unused', refresh: 'refresh' } as const

/** with so many calls that wait for a place, a function that makes more is not held up by identifying them */
const readyAtMost = 512

/** so many calls are identified before those of them that may start do, and ends of such are heard of */
const dealtAtOnce = 64
