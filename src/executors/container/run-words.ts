import type { ContainerBody } from '../../model/task.ts'
import type { ContainerEngine } from './engine.ts'
import type { Mount } from './mounts.ts'
import { root } from './mounts.ts'

/** All that `run` is told of a container. */
export interface ContainerRun {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** what the image is on this machine */
  readonly image: string
  readonly body: ContainerBody
  /** `body.run` with paths and values in it */
  readonly run: readonly string[]
  readonly mounts: readonly Mount[]
  readonly env: Readonly<Record<string, string>>
  /** names of variables whose values are in the container program's own environment: command lines are seen by everybody */
  readonly passed: ReadonlySet<string>
  readonly memoryBytes: number
  readonly caller: Caller
  /** the project's own, which go before ours */
  readonly more: readonly string[]
}

/** Who runs Almanac: files in outputs are to belong to them. */
export interface Caller {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
}

/** The words of `podman run`, or `docker run`; `attached`: a person is at the terminal. */
export function runWords(
  engine: ContainerEngine,
  wanted: ContainerRun,
  attached: readonly string[] = [],
): string[] {
  const { body, memoryBytes } = wanted
  const [entry, ...before] = body.entrypoint ?? []
  return [
    ...engine.words,
    'run',
    `--name=${wanted.name}`,
    // how it ended is looked up where memory is limited, and it is removed then
    ...(memoryBytes > 0 ? [] : ['--rm']),
    // the image is here; its output is ours to keep
    '--pull=never',
    '--log-driver=none',
    ...Object.entries(wanted.labels).map(([name, value]) => `--label=${name}=${value}`),
    ...(body.init && engine.init ? ['--init'] : []),
    ...userWords(engine, body, wanted.caller),
    // without swap, or the limit would be none
    ...(memoryBytes > 0 ? [`--memory=${memoryBytes}b`, `--memory-swap=${memoryBytes}b`] : []),
    ...(body.cpus === undefined ? [] : [`--cpus=${body.cpus}`]),
    ...(body.gpu === undefined ? [] : gpuWords(engine, body.gpu)),
    ...(body.network === undefined ? [] : [`--network=${body.network}`]),
    `--workdir=${body.workdir ?? `${root}/work`}`,
    ...(engine.selinux ? ['--security-opt=label=disable'] : []),
    ...wanted.mounts.map((mount) => `--mount=${mountText(mount)}`),
    ...Object.entries(wanted.env).map(([name, value]) =>
      wanted.passed.has(name) ? `--env=${name}` : `--env=${name}=${value}`,
    ),
    ...(body.entrypoint === undefined ? [] : [`--entrypoint=${entry ?? ''}`]),
    ...(body.network === undefined ? wanted.more : withoutNetwork(wanted.more)),
    ...attached,
    wanted.image,
    ...before,
    ...wanted.run,
  ]
}

/** A record of comma-separated values, in which any path can be written. */
function mountText({ source, target, write }: Mount): string {
  const fields = ['type=bind', `source=${source}`, `destination=${target}`, ...(write ? [] : ['readonly'])]
  return fields.map((field) => (/[",\s]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')
}

/** Files that are left must belong to the caller: by the same user in the container, or by one that stands for them. */
function userWords(
  { kind, rootless }: ContainerEngine,
  { user }: ContainerBody,
  { uid, gid, groups }: Caller,
): string[] {
  if (user === 'image') return []
  if (user !== undefined) {
    const [, inner, group = inner] = /^(\d+)(?::(\d+))?$/.exec(user) ?? []
    const mapped = kind === 'podman' && rootless && inner !== undefined
    return [...(mapped ? [`--userns=keep-id:uid=${inner},gid=${group}`] : []), `--user=${user}`]
  }
  if (!rootless) {
    const others = uid === 0 ? [] : groups.filter((group) => group !== gid)
    return [`--user=${uid}:${gid}`, ...others.map((group) => `--group-add=${group}`)]
  }
  return kind === 'podman' ? ['--userns=keep-id', `--user=${uid}:${gid}`] : ['--user=0:0']
}

/** Networks add up: what the task says takes the place of what the project says. */
const withoutNetwork = (words: readonly string[]): string[] =>
  words.filter((word, i) => {
    const before = words[i - 1] ?? ''
    return !(/^--net(?:work)?(?:=|$)/.test(word) || /^--net(?:work)?$/.test(before))
  })

function gpuWords({ kind }: ContainerEngine, gpu: number | 'all'): string[] {
  if (kind === 'docker') return [`--gpus=${gpu}`]
  const names = gpu === 'all' ? ['all'] : Array.from({ length: gpu }, (_, i) => String(i))
  return names.map((name) => `--device=nvidia.com/gpu=${name}`)
}

/** Removes a container, running or not; without a word where there is none. */
export const removeWords = ({ words, kind }: ContainerEngine, names: readonly string[]): string[] => [
  ...words,
  'rm',
  '-f',
  '-v',
  ...(kind === 'podman' ? ['-t', '0'] : []),
  ...names,
]
