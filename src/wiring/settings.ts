import { existsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import type { RunSettings } from '../engine/settings.ts'
import type { AlmanacConfig } from '../flow/config.ts'
import { sizeBytes } from '../flow/options.ts'
import { AlmanacError } from '../model/errors.ts'
import type { CodeSource } from '../ports/code.ts'
import type { WorkbenchOptions } from '../workbench.ts'

/** `almanac.config.ts` of a project. @throws ALM_LOAD_FAILED, ALM_CONFIG */
export async function readConfig(project: string, code: CodeSource): Promise<AlmanacConfig> {
  for (const name of ['almanac.config.ts', 'almanac.config.js']) {
    const file = join(project, name)
    if (!existsSync(file)) continue
    const config: unknown = (await code.load(file)).exports['default']
    if (typeof config !== 'object' || config === null)
      throw new AlmanacError('ALM_CONFIG', { file, why: 'it exports no configuration by default' })
    return config as AlmanacConfig
  }
  return {}
}

/** What a person says goes before what the project says. */
export function runSettings(
  options: WorkbenchOptions,
  config: AlmanacConfig,
  environment: string,
): RunSettings {
  const memory = config.memory === undefined ? undefined : sizeBytes(config.memory)
  return {
    cpu: options.parallel ?? config.parallel ?? availableParallelism(),
    memoryBytes: options.memoryBytes ?? memory ?? Math.round(totalmem() * 0.6),
    environment,
    cache: 'on',
    failFast: false,
    dryRun: false,
    graceMs: 5000,
    keptBytes: (config.arrays === undefined ? undefined : sizeBytes(config.arrays)) ?? 2 ** 30,
    // at a breakpoint no call is made for as long as a person thinks
    stuckMs: options.inline === true ? 24 * 3600_000 : 2000,
  }
}
