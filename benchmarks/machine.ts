import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** The day and the machine of a measurement, in a line. */
export function machine(): string {
  return (
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ` +
    `${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}, ` +
    `SQLite ${process.versions['sqlite']}`
  )
}

/** The minute in which something is measured. */
export const minute = (): string => new Date().toISOString().slice(0, 16).replace('T', ' ')

/** Load of the machine over a minute. */
export const load = (): number => Number((loadavg()[0] ?? 0).toFixed(2))

/** To be called when a measurement begins; what it gives, when it is over: when that was, and beside how much else. */
export function taking(): () => string {
  const [from, before] = [minute(), load()]
  return () =>
    `Taken from ${from} to ${minute()} UTC, load of the machine ${before} before and ${load()} after.`
}

/** An interpreter's version, and those of packages in its environment, by name as people write it. */
export function pythonVersions(python: string, packages: readonly string[] = []): Record<string, string> {
  const code = [
    'import json, platform, sys',
    'from importlib.metadata import version',
    'print(json.dumps({"Python": platform.python_version(), **{name: version(name) for name in sys.argv[1:]}}))',
  ].join('\n')
  return JSON.parse(execFileSync(python, ['-c', code, ...packages], { encoding: 'utf8' })) as Record<
    string,
    string
  >
}

/** `Python 3.13.1, NumPy 2.4.6` */
export const versionText = (versions: Readonly<Record<string, string>>): string =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
