import { openRemoteObjects } from '../data/s3/remote-objects.ts'
import { openCommandExecutor } from '../executors/command/executor.ts'
import { openInlineExecutor } from '../executors/inline/executor.ts'
import { pythonEnvDigest } from '../executors/python/environment.ts'
import { openPythonExecutor } from '../executors/python/executor.ts'
import { findPython, minorOf } from '../executors/python/interpreter.ts'
import { openScriptExecutor } from '../executors/script/executor.ts'
import { openSourceExecutor } from '../executors/source/executor.ts'
import { openUrls } from '../executors/source/url-reader.ts'
import type { TaskSpec } from '../model/task.ts'
import type { Downloads } from '../ports/downloads.ts'
import type { ExecutorListener } from '../ports/executor.ts'
import type { Urls } from '../ports/urls.ts'
import { systemClock } from '../system/system-clock.ts'

/** What executors are made with. */
export interface ExecutorParts {
  readonly python: { readonly processes?: number; readonly debug?: 'pdb' | 'debugpy' }
  readonly say: (text: string) => void
  readonly inline: boolean
  readonly downloads: () => Promise<Downloads>
  /** closed with them */
  readonly urls: Urls
}

/** Of every kind of task. */
export function openExecutors(listener: ExecutorListener, parts: ExecutorParts) {
  const { python, say, inline, downloads, urls } = parts
  const common = { clock: systemClock }
  return [
    openInlineExecutor({ ...common, patient: inline }, listener),
    openPythonExecutor({ ...common, ...python, onProgress: say }, listener),
    openCommandExecutor(common, listener),
    openScriptExecutor(common, listener),
    openSourceExecutor({ ...common, downloads, objects: openRemoteObjects, urls }, listener),
  ]
}

/** Asks for files that stay with the servers that keep them. */
export const openServers = (): Urls => openUrls({ clock: systemClock, objects: openRemoteObjects })

/** Of Python: the interpreter's minor version, the platform, and what is installed beside it. */
export async function surroundings({ body }: TaskSpec): Promise<Record<string, string>> {
  if (body.kind !== 'python') return {}
  if (body.env !== undefined) return { python: await pythonEnvDigest(body.env) }
  const { version, platform } = await findPython(undefined)
  return { python: `${minorOf(version)} ${platform}` }
}
