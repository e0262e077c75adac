import { randomBytes } from 'node:crypto'
import { AlmanacError } from '../../model/errors.ts'
import type { ContainerBody } from '../../model/task.ts'
import type { Attempt } from '../../ports/executor.ts'
import { fillCommand } from '../programs/command-template.ts'
import type { ToldAttempt } from '../programs/task-files.ts'
import { makeTaskFiles, taskEnvironment, taskFilesOf } from '../programs/task-files.ts'
import type { ContainerSettings, Containers } from './containers.ts'
import { ownerLabel } from './containers.ts'
import type { ContainerEngine } from './engine.ts'
import { linkedMounts } from './links.ts'
import type { Mount } from './mounts.ts'
import { insideOf } from './mounts.ts'
import type { ContainerRun } from './run-words.ts'

/** What is looked up before an attempt may start. */
export interface Ready {
  readonly engine: ContainerEngine
  /** the image on this machine */
  readonly image: string
  /** what links in its inputs lead to */
  readonly linked: readonly Mount[]
}

/** @throws ALM_CONTAINER_PROGRAM, ALM_IMAGE_MISSING, ALM_IMAGE_PULL */
export async function readyFor(attempt: Attempt, containers: Containers): Promise<Ready> {
  const [engine, image, linked] = await Promise.all([
    containers.engine(),
    containers.images.id(bodyOf(attempt)),
    linkedMounts(insideOf(attempt).mounts),
  ])
  return { engine, image, linked }
}

/** The container of an attempt; writes its file of parameters. @throws ALM_OPTION_REFUSED, ALM_VALUE_REFUSED */
export function containerRun(
  attempt: Attempt,
  ready: Ready,
  name: string,
  settings: ContainerSettings,
): ContainerRun {
  const body = bodyOf(attempt)
  const { attempt: inside, mounts } = insideOf(attempt)
  makeTaskFiles({ scratch: attempt.scratch, inputs: inside.inputs })
  return {
    name,
    labels: {
      ...(settings.owner !== undefined && { [ownerLabel]: settings.owner.label }),
      'almanac.run': attempt.run,
      'almanac.call': `${attempt.call}.${attempt.attempt}`,
    },
    image: ready.image,
    body,
    run: fillCommand(body.run, { task: attempt.task.name, inputs: inside.inputs, outputs: inside.outputs }),
    mounts: [...mounts, ...ready.linked, ...volumesOf(body)],
    env: environmentOf(body, inside),
    passed: new Set(Object.keys(attempt.env)),
    memoryBytes: attempt.memoryBytes,
    caller: caller(),
    more: settings.args ?? [],
  }
}

export function bodyOf({ task }: Attempt): ContainerBody {
  if (task.body.kind !== 'container')
    throw new AlmanacError('ALM_BUG', { why: `${task.name} is no container` })
  return task.body
}

const volumesOf = ({ volumes }: ContainerBody): Mount[] =>
  volumes.map(({ path, source, write }) => ({ source, target: path, write }))

/** The image's own, and ours. Who is no user of the image has no home in it. */
function environmentOf(body: ContainerBody, inside: ToldAttempt): Record<string, string> {
  const home = body.user === undefined ? { HOME: inside.scratch } : {}
  return taskEnvironment({ ...inside, env: { ...body.env, ...inside.env } }, taskFilesOf(inside), home)
}

const caller = (): ContainerRun['caller'] => ({
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  groups: process.getgroups?.() ?? [],
})

/** What the container program needs: where its daemon is, how it gets out, who lets it in. */
export const hostVariables = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )

/** Unique on a machine; whoever lists containers sees what it is. */
export const containerName = ({ run, call, attempt }: Attempt, which: string): string =>
  `almanac-${run.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 60)}-${call}.${attempt}-${process.pid}-${which}-${randomBytes(3).toString('hex')}`
