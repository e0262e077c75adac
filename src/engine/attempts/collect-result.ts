import { AlmanacError, errorRecord, isAlmanacError } from '../../model/errors.ts'
import type { DirRef, FileRef, UrlRef } from '../../model/refs.ts'
import type { TaskSpec } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { Workspace } from '../../ports/data.ts'
import type { AttemptEnd } from '../../ports/executor.ts'
import type { Redaction } from '../notes/redaction.ts'
import type { EnginePorts } from '../settings.ts'
import { type AttemptResult, keep } from './attempt-result.ts'
import { collectOutput } from './collect-output.ts'
import { eachUrl, fileName } from './staging.ts'

/** What an attempt has besides its arguments. */
export interface Staged {
  readonly refs: readonly (FileRef | DirRef)[]
  readonly urls: readonly UrlRef[]
  readonly workspace: Workspace
  /** where it was let in to a server: over what is written of it */
  readonly redaction: Redaction | undefined
  /** copies of what other executors hold, by their handles */
  readonly transferred: readonly number[]
}

/** What all attempts of a run are collected by. */
export interface Collecting {
  readonly ports: Pick<EnginePorts, 'data' | 'urls'>
  /** full URLs by what is kept of them */
  readonly fullUrls: ReadonlyMap<string, string>
}

/** What an attempt came to: its outputs in the store, if its inputs are still what it was given. */
export async function collectResult(
  from: Collecting,
  task: TaskSpec,
  staged: Staged,
  end: AttemptEnd,
): Promise<AttemptResult> {
  const { refs, urls, workspace, redaction } = staged
  await from.ports.data.verify(refs).catch((error: unknown) => {
    // who wrote to a file that lies outside cannot be told: its task may have, and it may be somebody else's
    if (!isAlmanacError(error) || error.code !== 'ALM_INPUT_CHANGED') throw error
    throw new AlmanacError('ALM_INPUT_CHANGED_MEANWHILE', { ...error.details, task: task.name })
  })
  await verifyUrls(from, urls, end)
  if ((end.kind === 'failed' || end.kind === 'lost') && redaction !== undefined)
    return { ...end, error: redaction.error(end.error) }
  if (end.kind !== 'succeeded') return keep(end, task)
  if (redaction?.isIn(end.values) === true) {
    const why = 'it has in it what lets one read a URL that the task was given; return where it lies instead'
    return {
      kind: 'failed',
      reason: 'outputs',
      error: errorRecord('ALM_RESULT_REFUSED', { why }),
      retryable: false,
    }
  }
  const files: Record<string, Value> = {}
  for (const [name, kind] of Object.entries(task.outputs ?? {})) {
    if (kind === 'value') continue
    const path = workspace.output(fileName(task, name))
    files[name] = await collectOutput(from.ports.data, name, kind, path)
  }
  return keep(end, task, files)
}

async function verifyUrls(
  { ports, fullUrls }: Collecting,
  urls: readonly UrlRef[],
  end: AttemptEnd,
): Promise<void> {
  if (end.kind !== 'succeeded' && end.kind !== 'failed') return
  await eachUrl(urls, async (ref) => {
    try {
      await ports.urls?.verify(ref, fullUrls.get(ref.place))
    } catch (error) {
      // that a server cannot be asked now does not say why the task failed
      if (end.kind === 'succeeded' || (error as { code?: unknown }).code === 'ALM_INPUT_URL_CHANGED')
        throw error
    }
  })
}
