import { AlmanacError } from '../model/errors.ts'
import type { ContainerBody, ContainerVolume } from '../model/task.ts'
import type { ExitOptions } from './command.ts'
import {
  type Inputs,
  type NamedTask,
  type NamedTaskOptions,
  namedOptionNames,
  namedTask,
  type Outputs,
} from './named-task.ts'
import { checkNames, type OptionNames } from './option-names.ts'
import type { TaskOptions } from './options.ts'
import { checkNeeded, isText, isWords } from './program-options.ts'
import { resolveFromCaller } from './resolve-from-caller.ts'

/** What makes a program in a container a task. */
export interface ContainerTaskOptions extends NamedTaskOptions, ExitOptions {
  /** by which its calls are known */
  readonly name: string
  /** `registry/name:tag`, or `registry/name@sha256:…`, which never means another one */
  readonly image: string
  /** words for the image's entrypoint, filled in as those of `command.task`; the image's own command if absent */
  readonly run?: readonly string[]
  /** when the registry is asked: `'missing'` (if absent) when the image is not here, `'always'` once a process, `'never'` */
  readonly pull?: 'missing' | 'always' | 'never'
  /** instead of the image's entrypoint; `[]`: none, so that `run` is the program and its arguments */
  readonly entrypoint?: string | readonly string[]
  /** environment variables, which count; for those of this machine see `variables` */
  readonly env?: Readonly<Record<string, string>>
  /** by path in the container: what lies on this machine, relative to the file that says so, read only unless told */
  readonly volumes?: Readonly<Record<string, string | ContainerVolumeOptions>>
  /** `'none'`, `'host'`, or the name of a network; as the container program does if absent */
  readonly network?: string
  /** who runs Almanac if absent, so that files belong to you; `'image'`: as the image says; or `'1000:1000'` */
  readonly user?: string
  /** working directory in the container; an empty one of the attempt's own if absent */
  readonly workdir?: string
  /** graphics processors: so many, or all */
  readonly gpu?: number | 'all'
  /** `false`: the program is the first process of the container, without one that passes signals on and reaps */
  readonly init?: boolean
}

/** What of this machine is in a container. */
export interface ContainerVolumeOptions {
  /** a file or a directory */
  readonly source: string
  /** the container may write to it */
  readonly write?: boolean
}

const containerNames: OptionNames<ContainerTaskOptions> = {
  ...namedOptionNames,
  name: true,
  image: true,
  run: true,
  pull: true,
  entrypoint: true,
  env: true,
  volumes: true,
  network: true,
  user: true,
  workdir: true,
  gpu: true,
  init: true,
  retryExits: true,
}

/**
 * Programs in containers as tasks, by Podman or Docker: as `command.task`, with inputs, outputs and the files of
 * `ALMANAC_PARAMS`, `ALMANAC_RESULT` and `ALMANAC_EVENTS` at paths in the container. See docs/containers.md.
 */
export const container = {
  task<const O extends ContainerTaskOptions>(options: O): NamedTask<Inputs<O>, Outputs<O>> {
    checkNeeded('a container', options, containerNames, needs(options))
    const body = {
      kind: 'container',
      image: options.image,
      pull: options.pull ?? 'missing',
      run: options.run ?? [],
      ...(options.entrypoint !== undefined && { entrypoint: [options.entrypoint].flat() }),
      env: options.env ?? {},
      volumes: volumesOf(options),
      ...(options.network !== undefined && { network: options.network }),
      ...(options.user !== undefined && { user: options.user }),
      ...(options.workdir !== undefined && { workdir: options.workdir }),
      ...(options.gpu !== undefined && { gpu: options.gpu }),
      init: options.init !== false,
      exitCodes: { retry: options.retryExits ?? [] },
    } as const satisfies ContainerBody
    // a limit only where one is wanted: 1 is what a task is counted for that says nothing
    const limited = ({ cpu }: TaskOptions): ContainerBody =>
      cpu === undefined || cpu === 0 ? body : { ...body, cpus: cpu }
    return namedTask(options.name, limited, options, containerNames)
  },
}

type Needs = Readonly<Record<string, string | undefined>>

/** What each option must be, if it is not. */
function needs(options: ContainerTaskOptions): Needs {
  const { name, image, run, pull, entrypoint, env, network, user, workdir, gpu } = options
  const need = (fits: boolean, what: string): string | undefined => (fits ? undefined : what)
  return {
    name: need(isText(name), 'a text, by which its calls are known'),
    image: need(isImage(image), "the name of an image, like 'ghcr.io/osgeo/gdal:ubuntu-small-3.9.0'"),
    run: need(run === undefined || isWords(run, 0), "words, like ['gdalinfo', '{in.scene}']"),
    pull: need([undefined, 'missing', 'always', 'never'].includes(pull), "'missing', 'always' or 'never'"),
    entrypoint: need(
      entrypoint === undefined || isText(entrypoint) || isWords(entrypoint, 0),
      "a program, or words, like ['tini', '--']",
    ),
    env: need(env === undefined || isEnvironment(env), "texts by name, like { OMP_NUM_THREADS: '4' }"),
    network: need(network === undefined || isPlain(network), "'none', 'host' or the name of a network"),
    user: need(user === undefined || isPlain(user), "'image', or a user like '1000:1000'"),
    workdir: need(workdir === undefined || isInside(workdir), "a path in the container, like '/data'"),
    gpu: need(gpu === undefined || gpu === 'all' || (Number.isInteger(gpu) && gpu > 0), "a number, or 'all'"),
  }
}

/** No more than what cannot be taken for anything else: what names mean is for the container program to say. */
const isImage = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._/:@+-]*$/.test(value)
const isPlain = (value: unknown): boolean =>
  typeof value === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_.:=-]*$/.test(value)
const isInside = (path: unknown): boolean =>
  typeof path === 'string' && path.startsWith('/') && !path.includes('\0')
const isEnvironment = (env: unknown): boolean =>
  env !== null &&
  typeof env === 'object' &&
  Object.entries(env).every(
    ([name, value]) => /^[^=\0]+$/.test(name) && isText(value) && !value.includes('\0'),
  )

/** @throws ALM_OPTION_REFUSED */
function volumesOf({ name, volumes = {} }: ContainerTaskOptions): ContainerVolume[] {
  const refuse = (option: string, why: string): never => {
    throw new AlmanacError('ALM_OPTION_REFUSED', { option, task: name, why })
  }
  if (volumes === null || typeof volumes !== 'object' || Array.isArray(volumes))
    return refuse(
      'volumes',
      "it must be sources by path in the container, like { '/reference': './reference' }",
    )
  return Object.entries(volumes).map(([path, given]) => {
    const option = `volumes.${path}`
    const volume = typeof given === 'string' ? { source: given } : given
    if (typeof volume !== 'object' || volume === null || !isText(volume.source) || volume.source === '')
      return refuse(option, 'it must be a path on this machine, or { source, write }')
    checkNames(
      name,
      volume,
      { source: true, write: true } satisfies OptionNames<ContainerVolumeOptions>,
      `${option}.`,
    )
    if (!isInside(path)) refuse(option, 'the path in the container must begin with /')
    if (/^\/almanac(\/|$)/.test(path)) refuse(option, '/almanac is for inputs and outputs')
    return { path, source: resolveFromCaller(volume.source), write: volume.write === true }
  })
}
