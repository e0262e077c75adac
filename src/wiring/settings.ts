import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { nameFault } from '../core/tree/name.ts'
import type { RunSettings } from '../engine/settings.ts'
import { usableMemory } from '../executors/usable-memory.ts'
import type { AlmanacConfig } from '../flow/config.ts'
import { limitRules } from '../flow/limits.ts'
import { sizeBytes } from '../flow/options.ts'
import { AlmanacError } from '../model/errors.ts'
import type { LimitRule } from '../model/limits.ts'
import type { CodeSource } from '../ports/code.ts'
import type { LimitState } from '../ports/limits.ts'
import type { WorkbenchOptions } from '../workbench.ts'
import { checkedConfig } from './checked-config.ts'

/** `almanac.config.ts` of a project. @throws ALM_LOAD_FAILED, ALM_CONFIG */
export async function readConfig(project: string, code: CodeSource): Promise<AlmanacConfig> {
  for (const name of ['almanac.config.ts', 'almanac.config.js']) {
    const file = join(project, name)
    if (!existsSync(file)) continue
    return checkedConfig(name, (await code.load(file)).exports['default'])
  }
  return {}
}

/** It is part of paths. @throws ALM_USAGE */
export function environmentOf({ environment }: WorkbenchOptions, config: AlmanacConfig): string {
  const name = environment ?? config.environment ?? 'main'
  const hidden = /(^|\/)\./.test(name) ? 'a name begins with "."' : undefined
  const why =
    name
      .split('/')
      .map(nameFault)
      .find((fault) => fault !== undefined) ?? hidden
  if (why === undefined) return name
  throw new AlmanacError('ALM_USAGE', { why: `environment ${name}: ${why}` })
}

/** What a person says goes before what the project says. */
export function runSettings(
  options: WorkbenchOptions,
  config: AlmanacConfig,
  environment: string,
): RunSettings {
  return {
    cpu: options.parallel ?? config.parallel ?? availableParallelism(),
    memoryBytes:
      options.memoryBytes ??
      sizeOf('--memory', options.memory) ??
      sizeOf('ALMANAC_MEMORY', process.env['ALMANAC_MEMORY'] || undefined) ??
      sizeOf('memory', config.memory) ??
      usableMemory(),
    limits: limitRules('almanac.config.ts', config.limits),
    environment,
    cache: 'on',
    failFast: false,
    dryRun: false,
    depth: config.depth ?? 100,
    mapWindow: 2000,
    graceMs: 5000,
    keptBytes: (config.arrays === undefined ? undefined : sizeBytes(config.arrays)) ?? 2 ** 30,
    sparedCalls: 1000,
    // at a breakpoint no call is made for as long as a person thinks
    stuckMs: options.inline === true ? 24 * 3600_000 : 2000,
  }
}

/** Limits as they stand, and those that the project has declared and nobody has used. */
export function withDeclared(declared: readonly LimitRule[], used: readonly LimitState[]): LimitState[] {
  const names = new Set(used.map(({ name }) => name))
  const unused = declared
    .filter(({ name }) => !names.has(name))
    .map((rule): LimitState => ({ ...rule, held: 0, users: [] }))
  const rules = new Map(declared.map((rule) => [rule.name, rule]))
  // what the project says now goes before what the last run was told
  const now = used
    // the rate of a task's own, which may be gone: there is nothing to look up about it
    .filter(({ name, users }) => !name.startsWith('task:') || users.length > 0)
    .map((state) => ({ ...state, ...rules.get(state.name) }))
  return [...now, ...unused].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** @throws ALM_USAGE where it is none */
function sizeOf(name: string, text: string | number | undefined): number | undefined {
  if (text === undefined) return undefined
  const bytes = sizeBytes(text)
  if (bytes === undefined || bytes === 0)
    throw new AlmanacError('ALM_USAGE', { why: `${name} ${text}: it is a size like 512MiB or 8GiB` })
  return bytes
}
