import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, hostname, totalmem } from 'node:os'
import { join } from 'node:path'
import type { ResumeOptions } from './almanac.ts'
import { openCodeSource } from './code/source.ts'
import type { LocalDataPlane } from './data/local-data-plane.ts'
import { LogFiles } from './data/log-files.ts'
import { openDataPlane } from './data/open.ts'
import { openRemoteObjects } from './data/s3/remote-objects.ts'
import { joinShared, type OwnParts, type SharedStore } from './data/shared/join.ts'
import { ObjectBlobs } from './data/shared/object-blobs.ts'
import { openObjects } from './data/shared/open.ts'
import { collectStore } from './data/shared/store-garbage.ts'
import { addToDataset, scanDataset } from './engine/add-dataset.ts'
import { checkDatasets } from './engine/dataset-care.ts'
import { Engine, type RunHandle } from './engine/engine.ts'
import { explain } from './engine/explain.ts'
import { publisher, repairShown, showNewest } from './engine/publish.ts'
import { type Retired, retire } from './engine/retention.ts'
import type { RunSettings } from './engine/settings.ts'
import { stageCall } from './engine/staged-call.ts'
import { openCommandExecutor } from './executors/command/executor.ts'
import { openInlineExecutor } from './executors/inline/executor.ts'
import { pythonEnvDigest } from './executors/python/environment.ts'
import { openPythonExecutor } from './executors/python/executor.ts'
import { findPython, minorOf } from './executors/python/interpreter.ts'
import { openScriptExecutor } from './executors/script/executor.ts'
import { shellStart } from './executors/shell-start.ts'
import { openSourceExecutor } from './executors/source/executor.ts'
import type { AlmanacConfig } from './flow/config.ts'
import { sizeBytes } from './flow/options.ts'
import { jsonSchemaOf } from './flow/schema.ts'
import { type Workflow, type WorkflowDefinition, workflowOf } from './flow/workflow.ts'
import { openMemoryJournal } from './journal/memory/open.ts'
import { decode } from './model/codec.ts'
import { AlmanacError, errorOf, isAlmanacError } from './model/errors.ts'
import type { RunId, RunRecord } from './model/records.ts'
import { DirRef, FileRef } from './model/refs.ts'
import type { TaskSpec } from './model/task.ts'
import type { Value } from './model/value.ts'
import type { CodeSource } from './ports/code.ts'
import type { DataPlane } from './ports/data.ts'
import type { Datasets } from './ports/datasets.ts'
import type { Downloads } from './ports/downloads.ts'
import type { ExecutorListener } from './ports/executor.ts'
import type { CallRow } from './ports/journal.ts'
import { homeOf } from './project.ts'
import { retentionRules } from './retention-rules.ts'
import { sha256 } from './system/hash.ts'
import { nodeAmbient } from './system/node-ambient.ts'
import { systemChance } from './system/system-chance.ts'
import { systemClock } from './system/system-clock.ts'
import type { LoadedWorkflow, StagedShell, StartOptions, Workbench, WorkbenchOptions } from './workbench.ts'

/** The only place that names concrete adapters. */
export async function openAlmanac(options: WorkbenchOptions = {}): Promise<Workbench> {
  const { project, home } = homeOf(options)
  const say = options.onMessage ?? silence
  const code = openCodeSource({ home, project, almanacUrl: new URL('./index.ts', import.meta.url) })
  const inMemory = options.journal === 'memory' || (options.reads === true && !existsSync(home))
  // first of all: whether anything can be kept there at all
  const sqlite = inMemory ? undefined : await openSqlite(home, options.reads === true)
  const config = await readConfig(project, code).catch(async (error: unknown) => {
    await sqlite?.close()
    throw error
  })
  const own = sqlite ?? openMemoryJournal()
  const { records, work, entries } = own
  const kept = openKept({ home, project, config, say }, own)
  const { data, journal, cache, datasets, logs, collectStore, settled } = kept
  const python = { ...config.python, ...options.python }
  const engine = new Engine({
    journal,
    cache,
    work,
    data,
    datasets,
    code,
    logs,
    surroundings: { of: surroundings },
    clock: systemClock,
    chance: systemChance,
    hash: sha256,
    ambient: nodeAmbient(),
    owner: { host: hostname(), pid: process.pid, bootId: bootId() },
    variable: (name) => process.env[name],
    executors: (listener) =>
      openExecutors(listener, {
        python,
        say,
        inline: options.inline === true,
        downloads: () => data.downloads(),
      }),
  })
  const environment = options.environment ?? config.environment ?? 'main'
  const settings = runSettings(options, config, environment)
  const publish = publisher({ datasets, data, clock: systemClock })
  if (sqlite !== undefined && options.reads !== true) await repairShown({ datasets, data }, environment)
  const ofDatasets = datasetWork({ datasets, data, publish, now: Date.now }, environment)
  const rules = retentionRules(config.retention)
  const retention = { records, logs, entries, datasets, environment, now: Date.now, ...ofDatasets }
  const forget = (dryRun: boolean): Promise<Retired> => retire(retention, rules, dryRun)
  const maintenance = careFor({ data, datasets, cache, collectStore, environment, sqlite, retire: forget })
  return new OpenWorkbench({
    project,
    home,
    environment,
    engine,
    settings,
    journal,
    records,
    cache,
    entries,
    explain: (run, call) => explain({ records, entries, work, data }, run, call),
    data,
    datasets,
    publish,
    ...ofDatasets,
    code,
    logs,
    maintenance,
    settled,
    say,
  })
}

/** Care of what is kept. */
function careFor({
  data,
  datasets,
  cache,
  collectStore,
  environment,
  sqlite,
  retire,
}: CareParts): Workbench['maintenance'] {
  return {
    collectGarbage: async ({ dryRun }) => {
      const retired = await retire(dryRun)
      const roots = cache.roots()
      return {
        ...(await data.collectGarbage({ roots, dryRun, graceMs: garbageGraceMs, now: Date.now() })),
        retired,
      }
    },
    collectStore,
    check: async ({ data: all }) => {
      const broken = (await sqlite?.check()) ?? []
      if (!all) return { journal: broken }
      const store = await data.checkStore()
      const damaged = new Set(store.damaged.map(({ digest }) => digest))
      // what a damaged journal says of versions is not to be gone by
      const found = broken.length > 0 ? [] : await checkDatasets({ datasets, data }, environment, damaged)
      return { journal: broken, store, datasets: found }
    },
  }
}

interface CareParts {
  readonly data: LocalDataPlane
  readonly datasets: Datasets
  readonly cache: Workbench['cache']
  readonly collectStore: Workbench['maintenance']['collectStore']
  readonly environment: string
  readonly sqlite: Awaited<ReturnType<typeof openSqlite>> | undefined
  readonly retire: (dryRun: boolean) => Promise<Retired>
}

/** What people do with datasets. */
function datasetWork(
  ports: Parameters<typeof scanDataset>[0],
  environment: string,
): Pick<Workbench, 'addData' | 'removeVersions' | 'scanDataset'> {
  return {
    addData: (addition) => addToDataset(ports, { environment, ...addition }),
    removeVersions: async (dataset, versions) => {
      const key = { environment, dataset, partition: '' }
      const removed = await ports.datasets.remove(key, versions, Date.now())
      await showNewest(ports, key)
      return removed
    },
    scanDataset: (dataset) => scanDataset(ports, { environment, dataset }),
  }
}

interface Parts extends Omit<Workbench, 'run' | 'start' | 'resume' | 'load' | 'stage' | 'close'> {
  readonly engine: Engine
  readonly settings: RunSettings
  /** what goes to a shared store is there */
  readonly settled: () => Promise<void>
  readonly say: (text: string) => void
}

class OpenWorkbench implements Workbench {
  readonly project: string
  readonly home: string
  readonly environment: string
  readonly journal: Workbench['journal']
  readonly records: Workbench['records']
  readonly cache: Workbench['cache']
  readonly entries: Workbench['entries']
  readonly explain: Workbench['explain']
  readonly data: DataPlane
  readonly datasets: Workbench['datasets']
  readonly publish: Workbench['publish']
  readonly addData: Workbench['addData']
  readonly scanDataset: Workbench['scanDataset']
  readonly removeVersions: Workbench['removeVersions']
  readonly code: CodeSource
  readonly logs: Workbench['logs']
  readonly maintenance: Workbench['maintenance']
  readonly #engine: Engine
  readonly #settings: RunSettings
  readonly #settled: () => Promise<void>
  readonly #say: (text: string) => void

  constructor(parts: Parts) {
    this.project = parts.project
    this.home = parts.home
    this.environment = parts.environment
    this.journal = parts.journal
    this.records = parts.records
    this.cache = parts.cache
    this.entries = parts.entries
    this.explain = parts.explain
    this.data = parts.data
    this.datasets = parts.datasets
    this.publish = parts.publish
    this.addData = parts.addData
    this.scanDataset = parts.scanDataset
    this.removeVersions = parts.removeVersions
    this.code = parts.code
    this.logs = parts.logs
    this.maintenance = parts.maintenance
    this.#engine = parts.engine
    this.#settings = parts.settings
    this.#settled = parts.settled
    this.#say = parts.say
  }

  async run<I, R>(workflow: Workflow<I, R>, input?: I, options: StartOptions = {}): Promise<R> {
    const handle = await this.start(workflow, input as I, options)
    const { state, output, error } = await handle.result
    if (error !== undefined) throw errorOf(error)
    if (state !== 'succeeded') throw new AlmanacError('ALM_RUN_RESTS', { run: handle.id, state })
    return output as R
  }

  start<I, R>(workflow: Workflow<I, R>, input: I, options: StartOptions = {}): Promise<RunHandle> {
    const { name, tags, file, codeDigest, listener } = options
    return this.#engine.start(definitionOf(workflow), {
      input: input as Value,
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
    const input = await this.#scanAgain(decode(record.inputWire))
    return this.#engine.resume(definitionOf(workflow), record, {
      settings: this.#with(options),
      forget: options.caught === true ? 'caught' : 'uncaught',
      input,
      ...(options.calls !== undefined && { calls: options.calls }),
      ...(options.listener !== undefined && { listener: options.listener }),
    })
  }

  async load(file: string): Promise<LoadedWorkflow> {
    const loaded = await this.code.load(file)
    const workflow = onlyWorkflow(file, loaded.exports)
    const { input } = definitionOf(workflow)
    return { workflow, loaded, ...(input !== undefined && { inputSchema: jsonSchemaOf(input) }) }
  }

  async stage<I, R>(run: RunRecord, row: CallRow, workflow: Workflow<I, R>): Promise<StagedShell> {
    const known = await this.#engine.known(definitionOf(workflow), run, row, this.#settings)
    const attempt = Math.max(1, row.outcome?.attempt ?? 1)
    const variable = (name: string): string | undefined => process.env[name]
    const staged = await stageCall(run.id, row.call, known, { data: this.data, variable, attempt })
    const remove = (): Promise<void> => staged.remove()
    try {
      return { task: staged.attempt.task.name, ...(await shellStart(staged.attempt, this.#say)), remove }
    } catch (error) {
      await remove()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#engine.close()
    await this.logs.flush()
    await this.#settled()
    await this.code.close()
    await this.data.close()
    await this.journal.close()
  }

  #with(options: StartOptions): RunSettings {
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
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
      return value
    const fields: Record<string, Value> = {}
    for (const [name, field] of Object.entries(value)) fields[name] = await this.#scanAgain(field as Value)
    return fields
  }
}

/** The store that machines share, if there is one. @throws ALM_CONFIG */
function openStore({ store }: AlmanacConfig): SharedStore | undefined {
  const given = typeof store === 'string' ? { url: store } : store
  const url = process.env['ALMANAC_STORE'] ?? given?.url
  if (url === undefined || url === '' || url === 'off') return undefined
  const { url: _, local, ...options } = { url, ...given }
  const localBytes = local === undefined ? undefined : sizeBytes(local)
  return {
    objects: openObjects(url, options),
    results: options.results ?? 'share',
    logs: options.logs ?? true,
    plain: options.plain ?? false,
    ...(localBytes !== undefined && { localBytes }),
  }
}

interface KeptPlace {
  readonly home: string
  readonly project: string
  readonly config: AlmanacConfig
  readonly say: (text: string) => void
}

/** What is kept on this machine, and in the store that it shares. @throws ALM_CONFIG */
function openKept(
  { home, project, config, say }: KeptPlace,
  { journal, cache, datasets }: Pick<OwnParts, 'journal' | 'cache' | 'datasets'>,
) {
  const shared = openStore(config)
  const data = openDataPlane({
    home,
    data: join(project, 'data'),
    ...(shared !== undefined && { shared: new ObjectBlobs(shared.objects) }),
    ...(shared?.localBytes !== undefined && { localBytes: shared.localBytes }),
  })
  const logs = new LogFiles(home, (error) => say(`A log could not be written: ${(error as Error).message}`))
  const own = { journal, cache, datasets, logs, home, data, onMessage: say }
  const collect: Workbench['maintenance']['collectStore'] = async ({ dryRun, olderDays }) => {
    const older = olderDays === undefined ? {} : { olderMs: olderDays * 24 * 3600_000 }
    const options = { dryRun, graceMs: garbageGraceMs, now: Date.now(), ...older }
    return shared && (await collectStore(shared.objects, options))
  }
  return { ...joinShared(own, shared), data, collectStore: collect }
}

/** Longer than any attempt that has not told of its outputs yet should take. */
const garbageGraceMs = 24 * 3600_000

/** `reads`: where nothing can be written, what is there can be read all the same. */
async function openSqlite(home: string, reads: boolean) {
  const { openSqliteJournal } = await import('./journal/sqlite/open.ts')
  try {
    return await openSqliteJournal(home)
  } catch (error) {
    if (!reads || !isAlmanacError(error) || error.code !== 'ALM_JOURNAL_READ_ONLY') throw error
    return openSqliteJournal(home, { readOnly: true })
  }
}

interface ExecutorParts {
  readonly python: { readonly processes?: number; readonly debug?: 'pdb' | 'debugpy' }
  readonly say: (text: string) => void
  readonly inline: boolean
  readonly downloads: () => Promise<Downloads>
}

function openExecutors(listener: ExecutorListener, { python, say, inline, downloads }: ExecutorParts) {
  const common = { clock: systemClock }
  return [
    openInlineExecutor({ ...common, patient: inline }, listener),
    openPythonExecutor({ ...common, ...python, onProgress: say }, listener),
    openCommandExecutor(common, listener),
    openScriptExecutor(common, listener),
    openSourceExecutor({ ...common, downloads, objects: openRemoteObjects }, listener),
  ]
}

/** Of Python: the interpreter's minor version, the platform, and what is installed beside it. */
async function surroundings({ body }: TaskSpec): Promise<Record<string, string>> {
  if (body.kind !== 'python') return {}
  if (body.env !== undefined) return { python: await pythonEnvDigest(body.env) }
  const { version, platform } = await findPython(undefined)
  return { python: `${minorOf(version)} ${platform}` }
}

function runSettings(options: WorkbenchOptions, config: AlmanacConfig, environment: string): RunSettings {
  const memory = config.memory === undefined ? undefined : sizeBytes(config.memory)
  return {
    cpu: options.parallel ?? config.parallel ?? availableParallelism(),
    memoryBytes: options.memoryBytes ?? memory ?? Math.round(totalmem() * 0.6),
    environment,
    cache: 'on',
    failFast: false,
    dryRun: false,
    graceMs: 5000,
    keptBytes: (config.arrays === undefined ? undefined : sizeBytes(config.arrays)) ?? 2 ** 30,
    // at a breakpoint no call is made for as long as a person thinks
    stuckMs: options.inline === true ? 24 * 3600_000 : 2000,
  }
}

/** @throws ALM_LOAD_FAILED, ALM_CONFIG */
async function readConfig(project: string, code: CodeSource): Promise<AlmanacConfig> {
  for (const name of ['almanac.config.ts', 'almanac.config.js']) {
    const file = join(project, name)
    if (!existsSync(file)) continue
    const config: unknown = (await code.load(file)).exports['default']
    if (typeof config !== 'object' || config === null)
      throw new AlmanacError('ALM_CONFIG', { file, why: 'it exports no configuration by default' })
    return config as AlmanacConfig
  }
  return {}
}

/** Whoever opens Almanac from a program asks for messages, or gets none. */
const silence = (): void => undefined

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

/** The default export, or the only workflow. @throws ALM_NO_WORKFLOW, ALM_USAGE */
function onlyWorkflow(file: string, exports: Readonly<Record<string, unknown>>): Workflow<unknown, unknown> {
  const isWorkflow = (value: unknown): value is Workflow<unknown, unknown> => workflowOf(value) !== undefined
  if (isWorkflow(exports['default'])) return exports['default']
  const found = Object.entries(exports).filter(([, value]) => isWorkflow(value))
  const [only] = found
  if (only === undefined) throw new AlmanacError('ALM_NO_WORKFLOW', { file })
  if (found.length === 1) return only[1] as Workflow<unknown, unknown>
  const names = found.map(([name]) => name).join(', ')
  throw new AlmanacError('ALM_USAGE', {
    why: `${file} exports several workflows (${names}) and none by default`,
  })
}

/** @throws ALM_USAGE */
function definitionOf(workflow: unknown): WorkflowDefinition {
  const definition = workflowOf(workflow)
  if (definition === undefined)
    throw new AlmanacError('ALM_USAGE', { why: 'a workflow is needed: what workflow(…) gives' })
  return definition
}
