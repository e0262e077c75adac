import type { EndStatus } from '../../core/run/call.ts'
import { chosenWorkflow, definitionOf } from '../../flow/chosen-workflow.ts'
import type { FindWorkflow, FoundWorkflow, Given } from '../../flow/trigger.ts'
import { authorValue } from '../../flow/values.ts'
import type { WorkflowDefinition } from '../../flow/workflow.ts'
import { encode } from '../../model/codec.ts'
import { AlmanacError } from '../../model/errors.ts'
import type { ErrorRecord, RunRecord } from '../../model/records.ts'
import { HeldRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { eachRef, mapRefs } from '../../model/value-refs.ts'
import type { CallInfo } from '../calls/call-info.ts'
import { executed, failedError } from '../calls/ends.ts'
import { recordOf } from '../calls/failure.ts'
import { resolve } from '../calls/views.ts'
import type { Delivery } from '../host/delivery.ts'
import type { RunContext } from '../run-context.ts'
import { orphanedRuns, toBeExecuted } from './orphaned-runs.ts'
import type { NewTriggered } from './triggered-runs.ts'

interface TriggerArgs {
  readonly input: Value
  readonly name: string | null
  readonly tags: readonly string[]
}

/** What they ask of the rest of the run. */
export interface TriggerHost {
  left(info: CallInfo, status: EndStatus, error?: ErrorRecord): void
  /** what becomes durable with the outcome of a call, or not at all */
  readonly withOutcome: Delivery['withOutcome']
  /** A run that is in the journal is to be executed, unless somebody does. */
  readonly begin: ((triggered: NewTriggered) => void) | undefined
  /** what goes on with earlier ones is under way */
  readonly find: ((work: Promise<void>) => void) | undefined
}

/**
 * The runs that a run triggers.
 *
 * X1 a run is made in the transaction that records the outcome of its call: there is one, or none, whenever the process dies.
 * X2 it begins when that is durable, and with it all that its input was made of.
 * X3 of a call that is remembered, the run is begun that no process has and that did not come to its end; and where it did, or
 *    rests, those that it has triggered in its turn.
 * X4 in a dry run nothing is triggered.
 */
export class TriggerCalls {
  readonly #run: RunContext
  readonly #record: RunRecord
  readonly #host: TriggerHost
  /** calls whose run is made in this life */
  readonly #made = new Set<number>()
  /** has the run made such calls in this life? */
  areUsed = false
  #busy = 0

  constructor(run: RunContext, record: RunRecord, host: TriggerHost) {
    this.#run = run
    this.#record = record
    this.#host = host
  }

  /** Finding a workflow goes on by itself. */
  get isBusy(): boolean {
    return this.#busy > 0
  }

  /** Runs above the one that a call here would trigger. */
  get depth(): number {
    return (this.#record.triggeredBy?.depth ?? 0) + 1
  }

  enter(info: CallInfo): void {
    // like a task that a dry run does not start
    if (this.#run.settings.dryRun) return
    this.#busy++
    this.#found(info).then(
      (made) => {
        this.#busy--
        if (this.#run.isIn(info, 'entered')) this.#trigger(info, made)
      },
      (error: unknown) => {
        this.#busy--
        if (this.#run.isIn(info, 'entered'))
          this.#host.left(info, failedError, { ...recordOf(error), ...placeOf(info) })
      },
    )
  }

  /** The call has ended: it may have done so in an earlier life. */
  ended(info: CallInfo, { state }: EndStatus): void {
    if (state !== 'succeeded' || this.#made.has(info.id) || this.#run.settings.dryRun) return
    const { id } = this.#run.outcomes.value(info.id) as unknown as { readonly id: string }
    this.#host.find?.(this.#again(info, id))
  }

  async #found(info: CallInfo): Promise<{ readonly found: FoundWorkflow; readonly args: TriggerArgs }> {
    const { outcomes, calls, ports } = this.#run
    const args = resolve(info.args, { outcomes, request: calls.request }) as unknown as TriggerArgs
    eachRef(args.input, (ref) => {
      if (!(ref instanceof HeldRef)) return
      const why = "it is an array that lives in a worker's memory, which the other run does not share"
      throw new AlmanacError('ALM_VALUE_REFUSED', { path: `the input of ${info.request.name}`, why })
    })
    const found = await this.#find(info, {
      input: mapRefs(args.input, authorValue),
      scan: (path) => ports.data.scan(path),
    })
    // a run whose files may be gone after a power failure must not be on record
    await ports.data.sync()
    return { found, args }
  }

  #trigger(info: CallInfo, { found, args }: { found: FoundWorkflow; args: TriggerArgs }): void {
    const { ports, outcomes, id, settings } = this.#run
    const { definition, file, codeDigest } = found
    const now = ports.clock.now()
    const record: RunRecord = {
      id: ports.chance.id(now),
      workflow: definition.name,
      environment: settings.environment,
      state: 'scheduled',
      inputWire: encode(found.input),
      optionsWire: '{}',
      tags: args.tags,
      createdAt: now,
      uncaught: [],
      counts: {},
      executed: 0,
      reused: 0,
      triggeredBy: { run: id, call: info.id, depth: this.depth },
      ...(file !== undefined && { file: ports.runFile?.(file) ?? file }),
      ...(codeDigest !== undefined && { codeDigest }),
      ...(args.name !== null && { name: args.name }),
    }
    outcomes.set(info.id, { value: { id: record.id, workflow: record.workflow, name: args.name } })
    this.#made.add(info.id)
    this.#host.withOutcome.set(info.id, {
      record: { kind: 'triggered', call: info.id, run: record },
      durable: () => this.#host.begin?.({ record, definition }),
    })
    this.#host.left(info, executed)
  }

  async #again(info: CallInfo, id: string): Promise<void> {
    await this.#goOn(info, id, async () => {
      const { records } = this.#run.ports
      const record = await records.run(id)
      if (record === undefined) return
      if (toBeExecuted.has(record.state))
        return this.#host.begin?.({ record, definition: (await this.#find(info)).definition })
      for await (const left of orphanedRuns(records, id))
        await this.#goOn(info, left.id, async () =>
          this.#host.begin?.({ record: left, definition: await this.#definitionOf(left) }),
        )
    })
  }

  async #goOn({ request }: CallInfo, id: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const body = `run ${id}, which was triggered before, is not gone on with: ${(error as Error).message}`
      this.#run.notes.add({ type: 'warning', name: request.name, body })
    }
  }

  /** The workflow of a run that another one has triggered, from its file. @throws ALM_TRIGGER_REFUSED, ALM_LOAD_FAILED */
  async #definitionOf({ file, workflow, triggeredBy }: RunRecord): Promise<WorkflowDefinition> {
    const { ports } = this.#run
    if (file === undefined) {
      const why = `a program has defined it: resume run ${triggeredBy?.run}, which triggered it`
      throw new AlmanacError('ALM_TRIGGER_REFUSED', { workflow, why })
    }
    const loaded = await ports.code.load(ports.runPath?.(file) ?? file)
    return definitionOf(chosenWorkflow(loaded.file, loaded.exports, { rather: workflow }))
  }

  #find({ request }: CallInfo, given?: Given): Promise<FoundWorkflow> {
    return (request.fn as unknown as FindWorkflow)(this.#record.file !== undefined, given)
  }
}

const placeOf = ({ request: { at } }: CallInfo): Partial<ErrorRecord> =>
  at === undefined ? {} : { file: at.file, line: at.line }
