import type { LimitNeeds } from './limits.ts'

/** A task as it was defined, in plain data: what core, executors and fingerprints need to know of it. */

export type OutputKind = 'value' | 'file' | 'dir'

/** How a failed attempt is tried again. Times in ms. */
export interface RetryPolicy {
  /** further attempts after the first */
  readonly count: number
  readonly delayMs: number
  /** each delay is the last one times this */
  readonly backoff: number
  readonly maxDelayMs: number
  /** share of the delay that chance may add or take, 0 to 1 */
  readonly jitter: number
  /** error types, those above them, or codes that are tried again; all but terminal ones if absent */
  readonly on?: readonly string[]
  /** memory of each further attempt is the last one's times this */
  readonly memoryFactor: number
}

/** `false`: never; `true`: always; `for`: entries younger than that; absent: the rule of `docs/identity.md`. */
export type CachePolicy = boolean | { readonly forMs: number }

/** What a failure means for the run: it fails, what needs the result is skipped, or a person is asked. */
export type OnFailure = 'fail' | 'skip' | 'pause'

/** What core decides by. Shared by all calls of a definition. */
export interface TaskPolicy {
  readonly retries: RetryPolicy
  readonly timeoutMs?: number
  /** an attempt that shows no sign of life for so long is lost */
  readonly heartbeatMs?: number
  readonly cache?: CachePolicy
  /** acts on the world: waits for the commit of all before it, gets an idempotency key, is never cached */
  readonly effect: boolean
  /** its result may vary: never made again */
  readonly random: boolean
  /** what of its result would only live in a worker's memory is written out at once */
  readonly persist?: boolean
  /** where its inputs lie counts */
  readonly location: boolean
  readonly cpu: number
  readonly memoryBytes: number
  readonly priority: number
  /** of limits that are shared by tasks and runs; absent: none */
  readonly limits?: LimitNeeds
  readonly onFailure: OnFailure
}

/** What to run, by executor. Paths of sources are absolute. */
export type TaskBody =
  | { readonly kind: 'function'; readonly name: string }
  | {
      /** a function too, executed in a thread: found there by its name, in the modules that defined it */
      readonly kind: 'thread'
      readonly name: string
      /** where it was defined, as Node runs it: `file:///a/b.mjs:12:3`, callers after callees */
      readonly at: readonly string[]
      /** calls that may run at once in one thread */
      readonly threads: number
    }
  | {
      readonly kind: 'python'
      /** file and function of `run: 'steps.py:qc'` */
      readonly file: string
      readonly function: string
      /** absent: the interpreter found on the machine, without packages of its own */
      readonly env?: PythonEnvSpec
      /** tasks that may run at once in one process */
      readonly threads: number
    }
  | {
      readonly kind: 'command'
      readonly run: readonly string[]
      readonly cwd?: string
      readonly exitCodes: ExitCodes
    }
  | {
      readonly kind: 'script'
      readonly lang: ScriptLanguage
      readonly source: string
      readonly exitCodes: ExitCodes
    }
  | ContainerBody
  | { readonly kind: 'source'; readonly from: 'http' | 's3' | 'url' }

/** A program in a container. */
export interface ContainerBody {
  readonly kind: 'container'
  readonly image: string
  /** when the registry is asked for it */
  readonly pull: 'missing' | 'always' | 'never'
  /** arguments of the entrypoint; none: the command of the image */
  readonly run: readonly string[]
  /** instead of the image's; empty: none, `run` is the program */
  readonly entrypoint?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly volumes: readonly ContainerVolume[]
  /** `none`, `host` or the name of one; absent: as the container program does */
  readonly network?: string
  /** `image`, or a user of the image; absent: who runs Almanac */
  readonly user?: string
  /** in the container; an empty directory of the attempt's own if absent */
  readonly workdir?: string
  readonly gpu?: number | 'all'
  /** processors that it gets at most */
  readonly cpus?: number
  /** false: without a first process that passes on signals */
  readonly init: boolean
  readonly exitCodes: ExitCodes
}

/** What lies on this machine, in a container. */
export interface ContainerVolume {
  /** in the container */
  readonly path: string
  /** on this machine, absolute */
  readonly source: string
  readonly write: boolean
}

/** Languages of scripts: the interpreter is found on the machine. */
export type ScriptLanguage = 'bash' | 'sh' | 'python' | 'node' | 'Rscript'

export interface ExitCodes {
  /** codes that mean: try again */
  readonly retry: readonly number[]
}

/** A Python environment: what is to be installed, and for which interpreter. */
export interface PythonEnvSpec {
  /** absolute path of the requirements file */
  readonly requirements: string
  /** interpreter to build it with: `python3.11`, or a path; the machine's `python3` if absent */
  readonly python?: string
}

export interface TaskSpec {
  readonly name: string
  readonly body: TaskBody
  readonly policy: TaskPolicy
  /** declared outputs by name; absent: one unnamed value */
  readonly outputs?: Readonly<Record<string, OutputKind>>
  /** names that the files of outputs get, where they differ from the output's */
  readonly outputNames?: Readonly<Record<string, string>>
  /** environment variables handed to it and counted: name → value read when the run began */
  readonly env: readonly string[]
  /** files its code reads: absolute paths; they count by content */
  readonly reads: readonly string[]
  /** replaces the code's part of the fingerprint */
  readonly version?: string
  /** where it was defined: the author's file (absolute), line and column, 1-based */
  readonly definedAt?: SourcePlace
}

export interface SourcePlace {
  readonly file: string
  readonly line: number
  readonly column?: number
}
