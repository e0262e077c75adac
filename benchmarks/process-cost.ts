import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What a command took as a whole process. */
export interface Cost {
  readonly seconds: number
  /** of it and of all that it started and saw end */
  readonly cpuSeconds: number
  readonly stdout: string
}

/** Runs a command to its end. @throws if it fails */
export function costOf(command: readonly [string, ...string[]], cwd: string): Cost {
  const [program, ...args] = command
  const cpu = childrenCpuSeconds()
  const began = performance.now()
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    // Python keeps what it has compiled, as for whoever has installed a package
    env: { ...process.env, NO_COLOR: '1', PYTHONDONTWRITEBYTECODE: '' },
  })
  const seconds = (performance.now() - began) / 1000
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return { seconds, cpuSeconds: childrenCpuSeconds() - cpu, stdout }
}

/** CPU of all child processes that have ended, from the kernel's account: it counts in hundredths of a second. */
function childrenCpuSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

/** Measures each in turn, so often: what disturbs the machine disturbs all of them. */
export function alternately<N extends string>(
  times: number,
  measures: Readonly<Record<N, () => Cost>>,
): Record<N, readonly Cost[]> {
  const costs = Object.fromEntries(Object.keys(measures).map((name) => [name, []])) as unknown as Record<
    N,
    Cost[]
  >
  for (let round = 0; round < times; round++) {
    for (const name of Object.keys(measures) as N[]) {
      costs[name].push(measures[name]())
      process.stderr.write(`${name}: ${costs[name].at(-1)?.seconds.toFixed(2)} s\n`)
    }
  }
  return costs
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
