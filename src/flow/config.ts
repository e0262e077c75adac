import type { Limit } from './limits.ts'
import type { Duration, Size } from './options.ts'

/** A project's defaults: `almanac.config.ts` exports them by default. */
export interface AlmanacConfig {
  /** processors that a run may take at once; those of the machine if absent */
  readonly parallel?: number
  /**
   * memory that a run's tasks may take at once, and the arrays of all runs: more of these goes to disk. ALMANAC_MEMORY
   * goes before it; 60 % of the machine's or container's if absent
   */
  readonly memory?: Size
  /** limits that tasks name, shared by all runs of the project: `{ gpfs: 4, api: { rate: '100/h' } }` */
  readonly limits?: Readonly<Record<string, Limit>>
  /** arrays in workers' memory that are written out when a run fails, pauses or is cancelled; `'1GiB'` if absent */
  readonly arrays?: Size
  /** how deep workflows may be in one another, and how often a triggered run may trigger the next; 100 if absent */
  readonly depth?: number
  /** where outputs are shown under `data/`, and what maps start from; `main` if absent */
  readonly environment?: string
  /** a store that is shared with other machines, as `s3://bucket/prefix`; ALMANAC_STORE goes before it */
  readonly store?: string | StoreConfig
  /** what `almanac gc` keeps; what it does not say is kept */
  readonly retention?: RetentionConfig
  /** threads for tasks with `run: 'thread'`; one per processor if absent */
  readonly threads?: number
  readonly python?: {
    /** warm worker processes per Python environment; one per processor if absent */
    readonly processes?: number
  }
  /**
   * where `almanac listen` listens for callbacks, `'127.0.0.1:8787'` if absent (ALMANAC_CALLBACKS_LISTEN goes before it), and
   * how the world calls that, `'https://host/almanac'` (ALMANAC_CALLBACKS_URL)
   */
  readonly callbacks?: { readonly listen?: string; readonly url?: string }
  /** what runs containers */
  readonly container?: ContainerConfig
}

/** What runs containers, and how. */
export interface ContainerConfig {
  /**
   * program, with arguments of its own: `'docker'`, `['podman', '--root', '/scratch/containers']`; absent: Docker if it
   * answers, else Podman, else nerdctl. ALMANAC_CONTAINER_PROGRAM goes before it
   */
  readonly program?: string | readonly string[]
  /** for each `run`: `['--shm-size', '1g']`; ALMANAC_CONTAINER_ARGS goes before it */
  readonly args?: readonly string[]
}

/** How long what is kept: `{ runs: { count: 100 }, logs: { age: '30d' }, cache: { age: '90d', bytes: '50GiB' } }`. */
export interface RetentionConfig {
  /** runs that have ended: the newest so many, and none that ended longer ago */
  readonly runs?: { readonly count?: number; readonly age?: Duration }
  /** what tasks printed in runs that ended longer ago goes, the runs stay */
  readonly logs?: { readonly age?: Duration }
  /** of each dataset that `datasets` does not speak of; its newest version stays in any case */
  readonly versions?: { readonly count?: number; readonly age?: Duration }
  /** of some datasets, by name or pattern (`'raw/**'`): `keep` names versions that stay; `{}` keeps all */
  readonly datasets?: Readonly<
    Record<string, { readonly count?: number; readonly age?: Duration; readonly keep?: readonly number[] }>
  >
  /** kept results, by when they were last used */
  readonly cache?: { readonly count?: number; readonly age?: Duration; readonly bytes?: Size }
}

/** A store that machines share: results, files and logs of each are there for all. */
export interface StoreConfig {
  /** `s3://bucket/prefix` */
  readonly url: string
  /** of what speaks S3 and is not Amazon's: `https://minio.example.org:9000` */
  readonly endpoint?: string
  /** where the bucket is; AWS_REGION, or `us-east-1`, if absent */
  readonly region?: string
  /** the bucket's name in the path; so if absent where an endpoint is given */
  readonly pathStyle?: boolean
  /** `share` (if absent): results of others are used, and ours given; `read`: nothing is written; `off`: only files */
  readonly results?: 'share' | 'read' | 'off'
  /** logs go there when an attempt has ended; so if absent */
  readonly logs?: boolean
  /** datasets stand there as plain files too, at `plain/<environment>/<dataset>/…` */
  readonly plain?: boolean
  /** bytes of content to be kept on this machine: what the store has and was not used for the longest goes first */
  readonly local?: Size
}

/**
 * Gives the configuration back, typed.
 *
 * @example
 * ```ts
 * import { defineConfig } from 'almanac'
 *
 * export default defineConfig({ parallel: 4, memory: '8GiB' })
 * ```
 */
export const defineConfig = (config: AlmanacConfig): AlmanacConfig => config
