import type { EndStatus } from '../../core/run/call.ts'
import { encode } from '../../model/codec.ts'
import { errorRecord } from '../../model/errors.ts'
import type { BaseRecord, ErrorRecord } from '../../model/records.ts'
import { DirRef, type SpilledRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { CallRequest } from '../../ports/caller.ts'
import type { CallInfo, NewCall } from '../calls/call-info.ts'
import type { CallTable } from '../calls/call-table.ts'
import { recordOf } from '../calls/failure.ts'
import type { Outcomes } from '../calls/outcomes.ts'
import { spilled } from '../calls/spilled-values.ts'
import { resolve } from '../calls/views.ts'
import type { Notes } from '../notes/notes.ts'
import { ResultNotes } from '../notes/result-notes.ts'
import type { EnginePorts, RunSettings } from '../settings.ts'
import {
  baseRecord,
  type EntryOutcome,
  gatherMap,
  type MapArgs,
  type MapPlan,
  type MapResult,
  mappedInput,
  planMap,
} from './directory-map.ts'

/** What maps ask of the run. */
export interface MapHost {
  readonly calls: Pick<CallTable, 'get' | 'request' | 'release'>
  readonly notes: Pick<Notes, 'again' | 'shownBy' | 'forget'>
  make(entry: NewCall): number
  endOf(call: number): EndStatus | undefined
  expanded(call: number): void
  left(info: CallInfo, status: EndStatus, error?: ErrorRecord): void
  /** the run was cancelled, perhaps twice, or its function threw: how far is what goes on given up? */
  givenUp(): number
  add(record: BaseRecord): void
}

/** A map under way. */
interface OpenMap {
  readonly map: CallInfo
  readonly path: string
  readonly plan: MapPlan
  readonly request: CallRequest
  /** calls that were made, in order of path */
  readonly entries: number[]
  /** of those: how many have not ended */
  open: number
  /** ms that those which have ended took */
  costMs: number
  /** what those showed that have succeeded, or are carried over */
  readonly shown: ResultNotes
  /** how far the run had been given up when it began: clean-up goes on */
  readonly givenUp: number
  /** no result of its entries only lives in a worker, or may be of other code than the map was identified with */
  isLasting: boolean
  /** no more entries are made; all that will be made are */
  isCut: boolean
  isWhole: boolean
}

/** What became of a map: where its value is kept, if it is large, and what its entries showed. */
interface GatheredMap extends MapResult {
  readonly spilled?: SpilledRef
  readonly shown: string | undefined
}

/**
 * The maps of a run that are under way: planned, their entries made as calls of their own, gathered when those have
 * ended.
 *
 * V1 an entry is made once, in order of path; its key is its path, so that it is known again after a crash or an edit.
 * V2 of a map's entries that were made, at most `window` have not ended: what cannot run soon costs a line in a list.
 * V3 a map that is given up makes no more entries, and has no result.
 * V4 a map with a result that may have to be made again is remembered entry by entry, and not as a whole.
 * V5 of an entry that has succeeded only its value stays, and that until its map has ended: there may be a million.
 */
export class MapCalls {
  readonly #ports: EnginePorts
  readonly #settings: RunSettings
  readonly #outcomes: Outcomes
  readonly #host: MapHost
  readonly #plans = new Map<number, OpenMap>()
  /** entries that were made and have not ended, and their maps */
  readonly #open = new Map<number, OpenMap>()
  #busy = 0

  constructor(ports: EnginePorts, settings: RunSettings, outcomes: Outcomes, host: MapHost) {
    this.#ports = ports
    this.#settings = settings
    this.#outcomes = outcomes
    this.#host = host
  }

  /** Reading and writing listings: goes on by itself. */
  get isBusy(): boolean {
    return this.#busy > 0
  }

  async expand(map: CallInfo, path: string): Promise<void> {
    this.#busy++
    try {
      const plan = await this.#plan(map)
      const request: CallRequest = { ...map.request, kind: 'entry' }
      const givenUp = this.#host.givenUp()
      const { notes } = this.#host
      notes.again(map.id, plan.shown)
      const shown = notes.shownBy(map.id) ?? new ResultNotes()
      notes.forget(map.id)
      const opened = {
        map,
        path,
        plan,
        request,
        entries: [],
        open: 0,
        costMs: 0,
        shown,
        givenUp,
        isLasting: true,
        isCut: false,
        isWhole: false,
      }
      this.#plans.set(map.id, opened)
      this.#busy--
      this.#make(opened)
    } catch (error) {
      this.#busy--
      this.#host.left(map, { state: 'failed', reason: 'error' }, recordOf(error))
    }
  }

  /** A call has ended: if it is an entry, others may be made. */
  ended(call: number, isCancelled: boolean): void {
    const opened = this.#open.get(call)
    if (opened === undefined) return
    this.#open.delete(call)
    opened.open--
    opened.isCut ||= isCancelled
    this.#took(opened, call)
    if (opened.isWhole || opened.open > this.#settings.mapWindow / 2) return
    try {
      this.#make(opened)
    } catch (error) {
      this.#host.left(opened.map, { state: 'failed', reason: 'error' }, recordOf(error))
    }
  }

  /** What its map needs of an entry that has ended is its value, or its error, and what it cost. */
  #took(opened: OpenMap, call: number): void {
    const { calls, notes, endOf } = this.#host
    const info = calls.get(call)
    opened.costMs += info.costMs
    const shown = notes.shownBy(call)
    notes.forget(call)
    if (endOf(call)?.state !== 'succeeded') return
    if (shown !== undefined) opened.shown.addAll(shown, info.entry as string)
    const isHeld = this.#outcomes.isHeldOf(call)
    opened.isLasting &&= !isHeld && info.drift === undefined
    // what a worker holds may have to be made again
    if (!isHeld) calls.release(call)
  }

  /** Entries that have not been made yet, by the name of their task. */
  get unmade(): ReadonlyMap<string, number> {
    const unmade = new Map<string, number>()
    for (const [call, { plan, entries, isWhole }] of this.#plans) {
      if (isWhole) continue
      const { name } = this.#host.calls.get(call).request
      unmade.set(name, (unmade.get(name) ?? 0) + plan.entries.length - entries.length)
    }
    return unmade
  }

  /** Entries that maps under way take from earlier results: in a dry run those do not end. */
  get carried(): number {
    let carried = 0
    for (const { plan } of this.#plans.values()) carried += plan.carried
    return carried
  }

  /** Makes entries as far as the window goes. A dry run ends none, and is to name them all. */
  #make(opened: OpenMap): void {
    const { map, path: caller, plan, request, entries } = opened
    const window = this.#settings.dryRun ? Infinity : this.#settings.mapWindow
    opened.isCut ||= this.#host.givenUp() > opened.givenUp
    while (!opened.isCut && opened.open < window && entries.length < plan.entries.length) {
      const { path: key, item } = plan.entries[entries.length] as MapPlan['entries'][number]
      const args = plan.argsOf(item)
      const call = this.#host.make({ caller, request, args, key, parent: map.id, entry: key })
      entries.push(call)
      // what is remembered, or given up, may have ended already
      const end = this.#host.endOf(call)
      opened.isCut ||= end?.state === 'cancelled'
      if (end !== undefined) {
        this.#took(opened, call)
        continue
      }
      opened.open++
      this.#open.set(call, opened)
    }
    if (!opened.isCut && entries.length < plan.entries.length) return
    opened.isWhole = true
    this.#host.expanded(map.id)
  }

  async gather(map: CallInfo): Promise<void> {
    const found = this.#plans.get(map.id)
    if (found === undefined) return
    this.#plans.delete(map.id)
    this.#busy++
    try {
      const { plan, entries } = found
      if (entries.length < plan.entries.length) {
        this.#busy--
        return this.#cancelled(map)
      }
      const outcomes = entries.map((id, i): EntryOutcome => {
        const { path } = plan.entries[i] as MapPlan['entries'][number]
        const error = this.#outcomes.error(id)
        return error === undefined ? { path, value: this.#outcomes.value(id) } : { path, error }
      })
      // what its result stands for: work of now, and work that is not done again
      map.costMs = found.costMs + plan.savedMs
      // a later life enters it again, and has its entries, which it may need to make their results again
      if (!found.isLasting) map.fingerprint = undefined
      for (const id of entries) if (!this.#outcomes.isHeldOf(id)) this.#outcomes.drop(id)
      const result = await gatherMap(plan, outcomes, map.request.task as TaskSpec, this.#ports.data)
      const input = await mappedInput(plan, result.failed, this.#ports.data)
      const spilling =
        plan.over instanceof DirRef
          ? undefined
          : await spilled(result.value, encode(result.value), this.#ports.data)
      this.#busy--
      const shown = found.shown.wire
      this.#ended(
        map,
        plan,
        { ...result, shown, ...(spilling && { spilled: spilling }) },
        found.isLasting ? input : undefined,
      )
    } catch (error) {
      this.#busy--
      this.#host.left(map, { state: 'failed', reason: 'error' }, recordOf(error))
    }
  }

  async #plan(map: CallInfo): Promise<MapPlan> {
    const { data, cache, hash } = this.#ports
    const args = map.args as {
      readonly over: Value
      readonly with: Record<string, Value>
      readonly as: string | null
      readonly each?: 'dir'
      readonly groups?: Value
      readonly context?: Value
    }
    const known = (value: Value) =>
      resolve(value, { outcomes: this.#outcomes, request: this.#host.calls.request })
    const resolved: MapArgs = {
      over: known(args.over),
      with: known(args.with) as Record<string, Value>,
      context: known(args.context),
      withText: this.#outcomes.text(args.context === undefined ? args.with : [args.with, args.context]),
      as: args.as,
      each: args.each ?? 'file',
      groups: known(args.groups),
    }
    const policy = map.request.task?.policy
    // of what holds for a while only, each entry is looked up by its own age
    const isLasting = policy?.cache !== false && typeof policy?.cache !== 'object'
    const { cache: use, environment } = this.#settings
    return planMap(map, resolved, {
      data,
      cache,
      hash,
      environment,
      useBase: use === 'on' && isLasting && policy?.effect !== true,
      takesHeld: this.#outcomes.isHeld(resolved.with),
    })
  }

  #ended(
    map: CallInfo,
    plan: MapPlan,
    { value, failed, shown, spilled: ref }: GatheredMap,
    input: DirRef | undefined,
  ): void {
    const errors = Object.entries(failed)
    const first = errors[0]
    map.map = {
      executed: plan.entries.length - errors.length,
      carried: plan.carried,
      removed: plan.removed.length,
      ...(plan.savedMs > 0 && { savedMs: plan.savedMs }),
    }
    if (first === undefined) {
      this.#outcomes.set(map.id, { value, ...(ref && { spilled: ref }) })
      this.#keepBase(map, plan, input, value, shown)
      return this.#host.left(map, { state: 'succeeded', reason: 'executed' })
    }
    if (errors.some(([, error]) => error.code === 'ALM_CANCELLED')) return this.#cancelled(map)
    // those that succeeded are not looked at again, one by one, when the others are mended
    this.#keepBase(map, plan, input, value, shown)
    // what `settled` gives; the error is what everybody else gets
    const reasons = Object.fromEntries(errors.map(([path, { code, message }]) => [path, { code, message }]))
    this.#outcomes.set(map.id, { value: { done: value, failed: reasons } })
    const all = plan.entries.length + plan.carried
    const details = { failed: errors.length, all, entry: first[0], message: first[1].message }
    const { file, line, type, types, group } = first[1]
    const error = errorRecord('ALM_MAP_FAILED', details, {
      ...(first[1].call !== undefined && { call: first[1].call }),
      ...(file !== undefined && { file }),
      ...(line !== undefined && { line }),
      ...(type !== undefined && { type }),
      ...(types !== undefined && { types }),
      ...(group !== undefined && { group }),
    })
    this.#host.left(map, { state: 'failed', reason: 'error' }, error)
  }

  /** It has no result, not even in part, and its entries are looked at again. */
  #cancelled(map: CallInfo): void {
    this.#outcomes.set(map.id, {})
    this.#host.left(map, { state: 'cancelled', reason: 'request' })
  }

  /** `input`: what the value was made of, if later maps may start from it. */
  #keepBase(
    map: CallInfo,
    plan: MapPlan,
    input: DirRef | undefined,
    value: Value,
    shown: string | undefined,
  ): void {
    const { baseKey } = plan
    if (input === undefined || baseKey === undefined) return
    if (this.#settings.cache === 'off' || map.request.task?.policy.effect === true) return
    const { environment } = this.#settings
    this.#host.add(baseRecord(baseKey, input, map, value, environment, this.#ports.clock.now(), shown))
  }
}
