import type { Size } from './options.ts'

/** A project's defaults: `almanac.config.ts` exports them by default. */
export interface AlmanacConfig {
  /** processors that a run may take at once; those of the machine if absent */
  readonly parallel?: number
  /** memory that a run's tasks may take at once; 60 % of the machine's if absent */
  readonly memory?: Size
  /** where outputs are shown under `data/`, and what maps start from; `main` if absent */
  readonly environment?: string
  readonly python?: {
    /** warm worker processes per Python environment; one per processor if absent */
    readonly processes?: number
  }
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
