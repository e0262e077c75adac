import { basename } from 'node:path'
import type { TaskSpec } from '../model/task.ts'

/** What code takes from outside, unless the task declares it. */
export interface Finding {
  readonly kind: 'env' | 'read' | 'import'
  /** of the variable or file, where the code says it */
  readonly name?: string | null
  readonly file: string
  readonly line: number
}

export function undeclaredWarnings(
  findings: readonly Finding[],
  { env, reads }: TaskSpec,
): readonly string[] {
  const warnings = findings
    .filter(({ kind, name }) => !isDeclared(kind, name ?? undefined, env, reads))
    .map(({ kind, name, file, line }) => `${file}:${line} ${said[kind](name ?? undefined)}`)
  return [...new Set(warnings)].sort()
}

const said: Readonly<Record<Finding['kind'], (name: string | undefined) => string>> = {
  env: (name) => `reads ${name ?? 'the environment'}, which does not count: name it in the option variables`,
  read: (name) => `reads ${name ?? 'a file of its own'}, which does not count: name it in the option reads`,
  import: () => 'imports a module whose name is computed, which does not count',
}

function isDeclared(
  kind: Finding['kind'],
  name: string | undefined,
  env: readonly string[],
  reads: readonly string[],
): boolean {
  if (kind === 'env') return name !== undefined && env.includes(name)
  if (kind === 'import') return false
  return name === undefined ? reads.length > 0 : reads.some((path) => basename(path) === basename(name))
}
