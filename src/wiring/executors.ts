import { bootId } from '../data/processes/process-identity.ts'
import { openRemoteObjects } from '../data/s3/remote-objects.ts'
import { ArrayBudget } from '../executors/array-budget.ts'
import { openCommandExecutor } from '../executors/command/executor.ts'
import type { Containers } from '../executors/container/containers.ts'
import { openContainerExecutor } from '../executors/container/executor.ts'
import { openInlineExecutor } from '../executors/inline/executor.ts'
import { knownEnvDigest, pythonEnvDigest } from '../executors/python/environment.ts'
import { openPythonExecutor } from '../executors/python/executor.ts'
import { findPython, type Interpreter, knownPython, minorOf } from '../executors/python/interpreter.ts'
import { openScriptExecutor } from '../executors/script/executor.ts'
import { openSourceExecutor } from '../executors/source/executor.ts'
import { HostThrottles } from '../executors/source/host-throttles.ts'
import { openUrls, type UrlReaderOptions } from '../executors/source/url-reader.ts'
import { openThreadExecutor } from '../executors/threads/executor.ts'
import { isAlmanacError } from '../model/errors.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Chance } from '../ports/clock.ts'
import type { Downloads } from '../ports/downloads.ts'
import type { ExecutorListener } from '../ports/executor.ts'
import type { Urls } from '../ports/urls.ts'
import { systemClock } from '../system/system-clock.ts'

/** What executors are made with. */
export interface ExecutorParts {
  readonly python: {
    readonly processes?: number
    readonly debug?: 'pdb' | 'debugpy'
  }
  /** bytes that the tasks of a run may use, of which arrays may take all */
  readonly memoryBytes: number
  /** of functions that are run in threads */
  readonly threads?: number
  readonly say: (text: string) => void
  readonly inline: boolean
  readonly downloads: () => Promise<Downloads>
  readonly servers: Servers
  readonly containers: Containers
}

/** Of every kind of task. */
export function openExecutors(listener: ExecutorListener, parts: ExecutorParts) {
  const { python, memoryBytes, threads, say, inline, downloads, servers, containers } = parts
  const common = { clock: systemClock }
  // one for all that hold some
  const arrays = new ArrayBudget(memoryBytes)
  return [
    openInlineExecutor({ ...common, patient: inline }, listener),
    openThreadExecutor(
      {
        ...common,
        program: new URL('./thread.ts', import.meta.url),
        memoryBytes,
        arrays,
        ...(threads !== undefined && { threads }),
        patient: inline,
      },
      listener,
    ),
    openPythonExecutor({ ...common, ...python, arrays, machine: bootId(), onProgress: say }, listener),
    openCommandExecutor(common, listener),
    openScriptExecutor(common, listener),
    openContainerExecutor({ ...common, containers }, listener),
    openSourceExecutor({ ...common, downloads, ...servers }, listener),
  ]
}

/** How servers and buckets of others are asked, by whoever asks them. */
export interface Servers extends Omit<UrlReaderOptions, 'clock' | 'retries'> {
  /** asks for files that stay with them; closed with the executors */
  readonly urls: Urls
}

export function openServers(chance: Chance): Servers {
  const shared = {
    objects: openRemoteObjects,
    throttles: new HostThrottles(systemClock),
    chance: () => chance.number(),
  }
  return { ...shared, urls: openUrls({ clock: systemClock, ...shared }) }
}

/** Of Python: the interpreter's minor version, the platform, and what is installed beside it. Of containers: the image. */
export async function surroundings(
  { body }: TaskSpec,
  containers: Containers,
): Promise<Record<string, string>> {
  if (body.kind === 'container') return { image: await containers.images.identity(body) }
  if (body.kind !== 'python') return {}
  if (body.env !== undefined) return { python: await pythonEnvDigest(body.env) }
  return { python: plainPython(await findPython(undefined)) }
}

/** The same, where it is known without waiting. */
export function knownSurroundings({ body }: TaskSpec): Record<string, string> | undefined {
  if (body.kind === 'container') return undefined
  if (body.kind !== 'python') return {}
  try {
    const found = body.env === undefined ? knownPython(undefined) : knownEnvDigest(body.env)
    if (found === undefined) return undefined
    return { python: typeof found === 'string' ? found : plainPython(found) }
  } catch (error) {
    // who waits for it is told
    if (isAlmanacError(error)) return undefined
    throw error
  }
}

const plainPython = ({ version, platform }: Interpreter): string => `${minorOf(version)} ${platform}`
