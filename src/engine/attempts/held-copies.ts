import type { Call } from '../../core/run/call.ts'
import type { Calls } from '../../core/run/calls.ts'
import { encode } from '../../model/codec.ts'
import type { Outcome } from '../../model/records.ts'
import { FileRef, HeldRef } from '../../model/refs.ts'
import { plainOutcome } from '../../model/remembered.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import { eachRef, mapRefs } from '../../model/value-refs.ts'
import type { Executor } from '../../ports/executor.ts'
import type { CallInfo } from '../calls/call-info.ts'
import { outcomeRecords } from '../calls/outcome-records.ts'
import type { RunContext } from '../run-context.ts'

/**
 * Copies of results that only live in workers' memory, so that they are not made again.
 *
 * K1 a value that has a copy bears its digest in the journal, which keeps the copy from being collected.
 * K2 at the end of a life at most `keptBytes` are written; what is left out is made again when it is needed.
 * K3 a run without such results is not looked at.
 */
export class HeldCopies {
  readonly #run: RunContext
  readonly #executorFor: (task: TaskSpec) => Executor | undefined

  constructor(run: RunContext, executorFor: (task: TaskSpec) => Executor | undefined) {
    this.#run = run
    this.#executorFor = executorFor
  }

  /** Writes out what is needed to go on with the run, and records where it is. */
  async keep(): Promise<void> {
    const { machine, calls, outcomes, recorder, settings, ports } = this.#run
    let left = settings.keptBytes
    let leftOut = 0
    for (const call of neededLater(machine.graph.calls)) {
      const value = outcomes.seen(call.id)
      const size = uncopiedBytes(value)
      if (size === 0) continue
      const info = calls.get(call.id)
      if (size > left) {
        leftOut++
        continue
      }
      const copied = await this.copy(info, value)
      if (copied === undefined) {
        leftOut++
        continue
      }
      left -= size
      outcomes.set(call.id, { value: copied }, outcomes.digest(call.id))
      recorder.add(this.#recordOf(info, call))
    }
    if (leftOut === 0) return
    const body = `${leftOut} results in workers’ memory are not kept: they are made again when the run goes on`
    const at = ports.clock.now()
    recorder.add({ kind: 'note', type: 'warning', name: 'arrays', bodyWire: encode(body), at })
  }

  /** The value with copies of all that is held; undefined where some of it is gone, or cannot be written. */
  async copy(info: CallInfo, value: Value): Promise<Value | undefined> {
    const executor = this.#executorOf(info)
    if (executor?.persist === undefined) return undefined
    const copies = new Map<HeldRef, HeldRef>()
    for (const ref of heldIn(value)) {
      if (ref.copy !== undefined) continue
      const bytes = await executor.persist(ref.handle)
      if (bytes === undefined) return undefined
      const { digest, size } = await this.#run.ports.data.writeFile('held', bytes)
      copies.set(ref, rebound(ref, ref.holder, ref.handle, { digest, size }))
    }
    return mapRefs(value, (ref) => (ref instanceof HeldRef ? (copies.get(ref) ?? ref) : ref))
  }

  /** The result of a call from its copies, in a worker's memory again; undefined where one is gone. */
  async restored(info: CallInfo): Promise<Value | undefined> {
    const { data } = this.#run.ports
    const executor = this.#executorOf(info)
    const value = this.#run.outcomes.value(info.id)
    const again = new Map<HeldRef, HeldRef>()
    for (const ref of heldIn(value)) {
      if (ref.copy === undefined || executor?.restore === undefined) return undefined
      const file = new FileRef('held', ref.copy.digest, ref.copy.size)
      if (!(await data.available(file))) return undefined
      const { holder, handle } = await executor.restore(await data.readFile(file), ref)
      again.set(ref, rebound(ref, holder, handle, ref.copy))
    }
    return mapRefs(value, (ref) => (ref instanceof HeldRef ? (again.get(ref) ?? ref) : ref))
  }

  #executorOf({ request }: CallInfo): Executor | undefined {
    return request.task === undefined ? undefined : this.#executorFor(request.task)
  }

  /** The outcome as it is on record, with the value as it is now. */
  #recordOf(info: CallInfo, call: Call): Outcome {
    const { outcomes, settings, remembered } = this.#run
    const valueWire = encode(outcomes.value(info.id))
    const own = info.own?.outcome
    if (own !== undefined && own.order === call.order && own.fingerprint === info.fingerprint)
      return { kind: 'outcome', call: info.id, ...plainOutcome(own), valueWire }
    const ended = { kind: 'ended', call: info.id, status: call.end, order: call.order, record: true } as Ended
    const earlier = remembered.result(info.own)
    const at = Math.round(info.startedAt + info.costMs)
    return outcomeRecords(info, ended, call, outcomes, earlier, at, settings)[0] as Outcome
  }
}

type Ended = Parameters<typeof outcomeRecords>[1]

const rebound = (ref: HeldRef, holder: string, handle: number, copy: HeldRef['copy']): HeldRef =>
  new HeldRef(ref.key, ref.path, ref.type, ref.size, holder, handle, copy)

function heldIn(value: Value): HeldRef[] {
  const held: HeldRef[] = []
  eachRef(value, (ref) => {
    if (ref instanceof HeldRef) held.push(ref)
  })
  return held
}

/** Bytes of what has no copy. */
const uncopiedBytes = (value: Value): number =>
  heldIn(value).reduce((bytes, ref) => bytes + (ref.copy === undefined ? ref.size : 0), 0)

/** Calls whose held results others need that have not succeeded, or that nobody has used yet. */
function neededLater(calls: Calls): readonly Call[] {
  const used = new Set<number>()
  const needed = new Set<number>()
  const open: Call[] = []
  for (const call of calls) {
    for (const id of inputsOf(call)) used.add(id)
    if (call.end?.state !== 'succeeded') open.push(call)
  }
  for (const call of open) {
    for (const id of inputsOf(call)) {
      const input = calls.find(id)
      if (input === undefined || needed.has(id)) continue
      needed.add(id)
      // a view has nothing of its own: it needs what it shows
      if (input.kind === 'view') open.push(input)
    }
  }
  return [...calls].filter(
    (call) =>
      call.held &&
      !call.lost &&
      call.end?.state === 'succeeded' &&
      (needed.has(call.id) || !used.has(call.id)),
  )
}

const inputsOf = ({ inputs, heldInputs }: Call): readonly number[] =>
  heldInputs === undefined ? inputs : [...inputs, ...heldInputs]
