import { hostname } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { bootId } from '../data/processes/process-identity.ts'
import { publisher, repairShown } from '../engine/datasets/publish.ts'
import { Engine } from '../engine/engine.ts'
import { explain } from '../engine/identity/explain.ts'
import type { AlmanacConfig } from '../flow/config.ts'
import type { CodeSource } from '../ports/code.ts'
import { sha256 } from '../system/hash.ts'
import { nodeAmbient } from '../system/node-ambient.ts'
import { SystemChance } from '../system/system-chance.ts'
import { systemClock } from '../system/system-clock.ts'
import type { Listening, ListenOptions, Workbench, WorkbenchOptions } from '../workbench.ts'
import type { ListenerParts } from './callback-listener.ts'
import { callbackPlace } from './callback-place.ts'
import { callbackTokens } from './callback-tokens.ts'
import { checkOpenOptions } from './checked-config.ts'
import { openContainers } from './containers.ts'
import { datasetWork } from './dataset-work.ts'
import {
  type ExecutorParts,
  knownSurroundings,
  openExecutors,
  openServers,
  surroundings,
} from './executors.ts'
import { careFor } from './maintenance.ts'
import type { OpenJournal } from './open-journal.ts'
import { OpenWorkbench } from './open-workbench.ts'
import { retentionRules } from './retention-rules.ts'
import { environmentOf, readConfig, runSettings, withDeclared } from './settings.ts'
import { openStorage } from './storage.ts'

/** Where things are kept, and how commands open it. */
export type PlacedOptions = WorkbenchOptions & { readonly project: string; readonly home: string }

/** What is being opened while the rest is loaded. */
export interface Begun {
  readonly opening: Promise<OpenJournal>
  readonly code: CodeSource
}

/** All that works on a journal, when that is open. It belongs to the result with the code, or both are closed. */
export async function assemble({ opening, code }: Begun, options: PlacedOptions): Promise<Workbench> {
  try {
    const own = await opening
    try {
      return await openWith(own, code, options)
    } catch (error) {
      await own.journal.close()
      throw error
    }
  } catch (error) {
    await code.close()
    throw error
  }
}

async function openWith(own: OpenJournal, code: CodeSource, options: PlacedOptions): Promise<Workbench> {
  const { project, home, onMessage: say = silence } = options
  checkOpenOptions(options)
  const config = await readConfig(project, code)
  const { records, work, limits, entries, documents, check, rehearse } = own
  const { data, journal, cache, datasets, logs, objects, settled, sharedEntries } = openStorage(
    { home, project, config, say },
    own,
  )
  const environment = environmentOf(options, config)
  const settings = runSettings(options, config, environment)
  const kept = { journal, records, cache, entries, data, datasets, documents, logs }
  const chance = new SystemChance()
  const servers = openServers(chance)
  const containers = openContainers(config, say)
  const callbacks = callbackTokens(join(home, 'callbacks.key'), callbackPlace(config))
  const engine = openEngine(
    {
      ...kept,
      code,
      work,
      limits,
      callbacks,
      chance,
      runFile: (file) => relative(project, file),
      runPath: (file) => resolve(project, file),
    },
    {
      python: { ...config.python, ...options.python },
      memoryBytes: settings.memoryBytes,
      ...(config.threads !== undefined && { threads: config.threads }),
      say,
      inline: options.inline === true,
      downloads: () => data.downloads(),
      servers,
      containers,
    },
  )
  const publish = publisher({ datasets, data, clock: systemClock })
  if (check !== undefined && options.reads !== true) await repairShown({ datasets, data }, environment)
  const ofDatasets = datasetWork({ datasets, data, publish, now: Date.now }, environment, home)
  const pinned = () => data.pinned()
  const care = { ...kept, ...ofDatasets, pinned, home, check, rehearse, objects, environment, now: Date.now }
  return new OpenWorkbench({
    ...kept,
    ...ofDatasets,
    project,
    home,
    environment,
    engine,
    settings,
    limits: async () => withDeclared(settings.limits, await limits.list(Date.now())),
    ...(sharedEntries !== undefined && { sharedEntries }),
    listen: (how) => listen(config, { journal, records }, how),
    explain: (run, call) => explain({ records, entries, work, data }, run, call),
    publish,
    code,
    maintenance: careFor({ ...care, say }, retentionRules(config.retention)),
    settled,
    say,
    urls: servers.urls,
    containers,
    lookUrl: (wanted) => servers.urls.look(wanted, new AbortController().signal),
  })
}

async function listen(
  config: AlmanacConfig,
  kept: Pick<ListenerParts, 'journal' | 'records'>,
  { listen: given, misfit, accepted }: ListenOptions,
): Promise<Listening> {
  const place = callbackPlace(config, given)
  // an HTTP server takes as long to load as most of what every command needs
  const { listenForCallbacks } = await import('./callback-listener.ts')
  const close = await listenForCallbacks(place, { ...kept, misfit, accepted, now: Date.now })
  return { address: `${place.host}:${place.port}`, url: place.url, close }
}

type EngineParts = ConstructorParameters<typeof Engine>[0]

function openEngine(
  parts: Pick<
    EngineParts,
    | 'journal'
    | 'records'
    | 'runFile'
    | 'runPath'
    | 'cache'
    | 'work'
    | 'limits'
    | 'data'
    | 'datasets'
    | 'documents'
    | 'callbacks'
    | 'chance'
    | 'code'
    | 'logs'
  >,
  executors: ExecutorParts,
): Engine {
  return new Engine({
    ...parts,
    surroundings: { of: (task) => surroundings(task, executors.containers), known: knownSurroundings },
    clock: systemClock,
    hash: sha256,
    ambient: nodeAmbient(),
    owner: { host: hostname(), pid: process.pid, bootId: bootId() },
    variable: (name) => process.env[name],
    urls: executors.servers.urls,
    executors: (listener) => openExecutors(listener, executors),
  })
}

/** Whoever opens Almanac from a program asks for messages, or gets none. */
const silence = (): void => undefined
