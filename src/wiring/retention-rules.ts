import type { Retention } from '../engine/retention.ts'
import type { RetentionConfig } from '../flow/config.ts'
import { durationMs, sizeBytes } from '../flow/options.ts'
import { AlmanacError } from '../model/errors.ts'

type Rule = { readonly count?: unknown; readonly age?: unknown; readonly bytes?: unknown }

/** A project's rules as numbers. What is wrong must not make a collection take more, or less. @throws ALM_CONFIG */
export function retentionRules(config: RetentionConfig | undefined): Retention {
  const rules: Record<string, object> = {}
  for (const [name, rule] of Object.entries(config ?? {})) {
    if (!['runs', 'logs', 'versions', 'cache'].includes(name))
      refuse(name, 'it is runs, logs, versions or cache')
    if (rule !== undefined) rules[name] = ruleOf(name, rule as Rule)
  }
  return rules
}

function ruleOf(name: string, { count, age, bytes, ...rest }: Rule): object {
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) refuse(`${name}.${unknown}`, 'it is count, age or bytes')
  return {
    ...(count !== undefined && { count: wholeNumber(`${name}.count`, count) }),
    ...(age !== undefined && {
      ageMs: durationMs(age as string) ?? refuse(`${name}.age`, "it is a duration like '30d'"),
    }),
    ...(bytes !== undefined && {
      bytes: sizeBytes(bytes as string) ?? refuse(`${name}.bytes`, "it is a size like '50GiB'"),
    }),
  }
}

const wholeNumber = (name: string, count: unknown): number =>
  Number.isSafeInteger(count) && (count as number) >= 0
    ? (count as number)
    : refuse(name, 'it is a whole number')

function refuse(name: string, why: string): never {
  throw new AlmanacError('ALM_CONFIG', { file: 'almanac.config.ts', why: `retention.${name}: ${why}` })
}
