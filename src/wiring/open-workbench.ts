import type { ResumeOptions, RunMessageQuery, SendOptions } from '../almanac.ts'
import { stageCall } from '../engine/attempts/staged-call.ts'
import type { Engine, RunHandle } from '../engine/engine.ts'
import { type RunMessage, runMessages, sendMessage } from '../engine/messages/run-messages.ts'
import type { RunSettings } from '../engine/settings.ts'
import type { Containers } from '../executors/container/containers.ts'
import { checkNesting } from '../executors/programs/nesting.ts'
import { chosenWorkflow, definitionOf, type WorkflowChoice } from '../flow/chosen-workflow.ts'
import { withDefaultFiles } from '../flow/default-files.ts'
import { jsonSchemaOf } from '../flow/schema.ts'
import { authorValues } from '../flow/values.ts'
import { checkInput, type Workflow } from '../flow/workflow.ts'
import { decode } from '../model/codec.ts'
import { AlmanacError, errorOf, isAlmanacError } from '../model/errors.ts'
import type { RunId, RunRecord, SentMessage } from '../model/records.ts'
import { DirRef, FileRef } from '../model/refs.ts'
import type { Value } from '../model/value.ts'
import type { CodeSource } from '../ports/code.ts'
import type { DataPlane } from '../ports/data.ts'
import type { CallRow } from '../ports/journal.ts'
import type { Urls } from '../ports/urls.ts'
import type { LoadedWorkflow, SharedEntries, StagedShell, StartOptions, Workbench } from '../workbench.ts'
import { checkParallel } from './checked-config.ts'
import { shellStart } from './shell-start.ts'

/** What it is made of. */
export interface WorkbenchParts
  extends Omit<
    Workbench,
    'run' | 'start' | 'resume' | 'load' | 'stage' | 'send' | 'messages' | 'close' | 'triggered'
  > {
  readonly engine: Engine
  readonly settings: RunSettings
  /** what goes to a shared store is there */
  readonly settled: () => Promise<void>
  readonly say: (text: string) => void
  /** belongs to the engine */
  readonly urls: Pick<Urls, 'open' | 'verify'>
  readonly containers: Containers
}

/** Runs that ended since are looked at and resumed most. */
const keptAsIsMs = 24 * 3600_000
const compactMs = 50

/** An open Almanac. What it is made of belongs to it: `close` closes that. */
export class OpenWorkbench implements Workbench {
  readonly project: string
  readonly home: string
  readonly environment: string
  readonly triggered: Workbench['triggered']
  readonly journal: Workbench['journal']
  readonly records: Workbench['records']
  readonly cache: Workbench['cache']
  readonly entries: Workbench['entries']
  readonly sharedEntries?: SharedEntries
  readonly limits: Workbench['limits']
  readonly explain: Workbench['explain']
  readonly listen: Workbench['listen']
  readonly data: DataPlane
  readonly datasets: Workbench['datasets']
  readonly documents: Workbench['documents']
  readonly publish: Workbench['publish']
  readonly addData: Workbench['addData']
  readonly scanDataset: Workbench['scanDataset']
  readonly removeVersions: Workbench['removeVersions']
  readonly lookUrl: Workbench['lookUrl']
  readonly code: CodeSource
  readonly logs: Workbench['logs']
  readonly maintenance: Workbench['maintenance']
  readonly #engine: Engine
  readonly #settings: RunSettings
  readonly #settled: () => Promise<void>
  readonly #say: (text: string) => void
  #hasWritten = false
  readonly #urls: WorkbenchParts['urls']
  readonly #containers: Containers

  constructor(parts: WorkbenchParts) {
    this.project = parts.project
    this.home = parts.home
    this.environment = parts.environment
    this.journal = parts.journal
    this.records = parts.records
    this.cache = parts.cache
    this.entries = parts.entries
    if (parts.sharedEntries !== undefined) this.sharedEntries = parts.sharedEntries
    this.limits = parts.limits
    this.explain = parts.explain
    this.listen = parts.listen
    this.data = parts.data
    this.datasets = parts.datasets
    this.documents = parts.documents
    this.publish = parts.publish
    this.addData = parts.addData
    this.scanDataset = parts.scanDataset
    this.removeVersions = parts.removeVersions
    this.lookUrl = parts.lookUrl
    this.code = parts.code
    this.logs = parts.logs
    this.maintenance = parts.maintenance
    this.#engine = parts.engine
    this.triggered = parts.engine.triggered
    this.#settings = parts.settings
    this.#settled = parts.settled
    this.#say = parts.say
    this.#urls = parts.urls
    this.#containers = parts.containers
  }

  async run<I, R>(workflow: Workflow<I, R>, input?: I, options: StartOptions = {}): Promise<R> {
    const handle = await this.start(workflow, input as I, options)
    const { state, output, error } = await handle.result
    if (error !== undefined) throw errorOf(error)
    if (state !== 'succeeded') throw new AlmanacError('ALM_RUN_RESTS', { run: handle.id, state })
    return output as R
  }

  async start<I, R>(workflow: Workflow<I, R>, input: I, options: StartOptions = {}): Promise<RunHandle> {
    const { name, tags, file, codeDigest, listener } = options
    const definition = definitionOf(workflow)
    checkNesting(definition.name)
    const { from } = definition
    const own = from === undefined ? definition : definitionOf((await this.load(from.file, from)).workflow)
    const taken = await withDefaultFiles(own, input as Value, (path) => this.data.scan(path))
    // of what does not fit there would be a run that nobody could mend
    for (const one of new Set([definition, own])) await checkInput(one, authorValues(taken))
    this.#hasWritten = true
    return this.#engine.start(definition, {
      input: taken,
      settings: this.#with(options),
      ...(name !== undefined && { name }),
      ...(tags !== undefined && { tags }),
      ...(file !== undefined && { file }),
      ...(codeDigest !== undefined && { codeDigest }),
      ...(listener !== undefined && { listener }),
    })
  }

  async resume<I, R>(
    run: RunId,
    workflow: Workflow<I, R>,
    options: ResumeOptions & StartOptions = {},
  ): Promise<RunHandle> {
    const record = await this.records.run(run)
    if (record === undefined) throw new AlmanacError('ALM_RUN_UNKNOWN', { run })
    checkNesting(record.workflow)
    this.#hasWritten = true
    const input = await this.#scanAgain(decode(record.inputWire))
    const resumed = this.#engine.resume(definitionOf(workflow), record, {
      settings: this.#with(options),
      forget: options.caught === true ? 'caught' : 'uncaught',
      input,
      ...(options.calls !== undefined && { calls: options.calls }),
      ...(options.listener !== undefined && { listener: options.listener }),
    })
    return resumed.catch((error: unknown) => this.#namingOwner(run, error))
  }

  /** Whoever has a run that was refused may have taken it after its record was read. */
  async #namingOwner(run: RunId, error: unknown): Promise<never> {
    if (!isAlmanacError(error) || error.code !== 'ALM_RUN_OWNED') throw error
    const { pid = '?', host = '?' } = (await this.records.run(run)) ?? {}
    throw new AlmanacError('ALM_RUN_OWNED', { run, pid, host })
  }

  async load(file: string, choice?: WorkflowChoice): Promise<LoadedWorkflow> {
    const loaded = await this.code.load(file)
    const workflow = chosenWorkflow(file, loaded.exports, choice)
    const { name, input, definedAt } = definitionOf(workflow)
    return {
      workflow,
      name,
      loaded,
      ...(definedAt !== undefined && { definedAt }),
      ...(input !== undefined && { inputSchema: jsonSchemaOf(input) }),
    }
  }

  async stage<I, R>(run: RunRecord, row: CallRow, workflow: Workflow<I, R>): Promise<StagedShell> {
    const known = await this.#engine.known(definitionOf(workflow), run, row, this.#settings)
    const attempt = Math.max(1, row.outcome?.attempt ?? 1)
    const variable = (name: string): string | undefined => process.env[name]
    const from = { data: this.data, urls: this.#urls, variable, attempt }
    const staged = await stageCall(run.id, row.call, known, from)
    const remove = (): Promise<void> => staged.remove()
    try {
      return {
        task: staged.attempt.task.name,
        ...(await shellStart(staged.attempt, this.#containers, this.#say)),
        remove,
      }
    } catch (error) {
      await remove()
      throw error
    }
  }

  send(run: RunId, name: string, value: unknown, { id, by }: SendOptions = {}): Promise<SentMessage> {
    return sendMessage(this.journal, run, name, value, { id, by, at: Date.now() })
  }

  messages(run: RunId, query: RunMessageQuery = {}): Promise<readonly RunMessage[]> {
    return runMessages(this.records, run, query)
  }

  async close({ leave = false }: { readonly leave?: boolean } = {}): Promise<void> {
    if (!leave) await this.triggered.idle()
    await this.#engine.close()
    await this.logs.flush()
    await this.#settled()
    await this.code.close()
    await this.data.close()
    await this.#compact()
    await this.journal.close()
  }

  /** A little at the end of each process that ran something, as nobody waits for its next step then. */
  async #compact(): Promise<void> {
    if (!this.#hasWritten) return
    try {
      await this.records.compact({ endedBefore: Date.now() - keptAsIsMs, budgetMs: compactMs })
    } catch (error) {
      // what has run is recorded: a disk that is full is no failure of it
      this.#say(`The journal was not made smaller: ${(error as Error).message}`)
    }
  }

  #with(options: StartOptions): RunSettings {
    if (options.parallel !== undefined) checkParallel(options.parallel)
    return {
      ...this.#settings,
      ...(options.parallel !== undefined && { cpu: options.parallel }),
      ...(options.cache !== undefined && { cache: options.cache }),
      failFast: options.failFast ?? false,
      dryRun: options.dryRun ?? false,
    }
  }

  /** What lies outside may have changed since: a person who resumes means it as it is now. */
  async #scanAgain(value: Value): Promise<Value> {
    if ((value instanceof FileRef || value instanceof DirRef) && value.at !== undefined)
      return this.data.scan(value.at)
    if (Array.isArray(value)) {
      const items: Value[] = []
      for (const item of value as readonly Value[]) items.push(await this.#scanAgain(item))
      return items
    }
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
      return value
    const fields: Record<string, Value> = {}
    for (const [name, field] of Object.entries(value)) fields[name] = await this.#scanAgain(field as Value)
    return fields
  }
}
