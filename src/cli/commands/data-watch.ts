import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import pc from 'picocolors'
import type { DatasetVersion } from '../../model/dataset.ts'
import { AlmanacError, isAlmanacError } from '../../model/errors.ts'
import { DirRef } from '../../model/refs.ts'
import type { Workbench } from '../../workbench.ts'
import { onStopSignal } from '../follow/stop-signal.ts'
import { anywhere, keyOf, makerText, versionNumber, versionObject } from '../input/dataset-names.ts'
import { parseDuration } from '../input/durations.ts'
import type { Printer } from '../output/printer.ts'
import { onReaderGone } from '../output/reader-gone.ts'
import { type ExecuteFlags, withAlmanac } from '../session.ts'
import { filesText } from '../text/format.ts'

export interface DataWatchFlags extends ExecuteFlags {
  readonly exec?: string
  readonly since?: string
  readonly every?: string
  readonly once?: boolean
  readonly wait?: boolean
}

/**
 * `almanac data watch NAME --exec CMD`: runs a command for each new version, one after the other, and goes on until it is
 * interrupted. A directory that is scanned is looked at each time. A dataset that is not there is a mistake, unless it is to
 * be waited for.
 */
export function dataWatchCommand(name: string, flags: DataWatchFlags): Promise<void> {
  return withAlmanac(flags, async (almanac, printer) => {
    const key = keyOf(almanac, name)
    const everyMs = parseDuration('--every', flags.every ?? '2s')
    const stop = new AbortController()
    const kill = new AbortController()
    const onStop = (): void => stop.abort()
    const signalled = onStopSignal(onStop, () => kill.abort())
    // the command has a group of its own, which a terminal that is closed does not tell
    process.on('SIGHUP', onStop)
    // commands are run whether anybody reads of them or not
    const heard = flags.exec === undefined ? onReaderGone(onStop) : undefined
    try {
      const newest =
        flags.wait === true ? await newestOrWaits(almanac, name, printer) : await newestOf(almanac, name)
      let last = flags.since === undefined ? newest : sinceOf(flags.since)
      let said: string | undefined
      for (;;) {
        const amiss = await scanned(almanac, name)
        if (amiss !== undefined && amiss.message !== said) {
          printer.object({ kind: 'not-scanned', dataset: name, code: amiss.code, message: amiss.message })
          printer.aside(`${name} is looked at again until it can be scanned: ${amiss.message}`)
        }
        said = amiss?.message
        for (const version of await versionsAfter(almanac, name, last)) {
          const code = await tell(almanac, version, flags, printer, { stop: stop.signal, kill: kill.signal })
          last = version.version
          if (flags.once === true) return code === 0 ? 0 : 1
          if (stop.signal.aborted) return 0
        }
        const { signal } = stop
        // an interruption ends the pause
        await pause(everyMs, undefined, { signal }).catch(() => undefined)
        if (signal.aborted) return 0
        if ((await almanac.datasets.versions(key, { limit: 1 })).length === 0) last = 0
      }
    } finally {
      process.off('SIGHUP', onStop)
      signalled()
      heard?.()
    }
  })
}

/** Files that come while they are looked at, or a disk that is away for a while, are no reason to look no more. */
async function scanned(almanac: Workbench, name: string): Promise<AlmanacError | undefined> {
  try {
    await almanac.scanDataset(name)
    return undefined
  } catch (error) {
    if (!isAlmanacError(error) || !passing.has(error.code)) throw error
    return error
  }
}

const passing: ReadonlySet<string> = new Set(['ALM_INPUT_CHANGED', 'ALM_INPUT_MISSING'])

const sinceOf = (text: string): number => (text === '0' ? 0 : versionNumber(text))

/** @throws ALM_DATA_UNKNOWN */
async function newestOf(almanac: Workbench, name: string): Promise<number> {
  const newest = await almanac.datasets.version(keyOf(almanac, name))
  if (newest === undefined && (await almanac.datasets.source(keyOf(almanac, name))) === undefined)
    throw new AlmanacError('ALM_DATA_UNKNOWN', { name })
  return newest?.version ?? 0
}

/** One that nothing was added to yet will have its first version. */
async function newestOrWaits(almanac: Workbench, name: string, printer: Printer): Promise<number> {
  try {
    return await newestOf(almanac, name)
  } catch (error) {
    if (!isAlmanacError(error) || error.code !== 'ALM_DATA_UNKNOWN') throw error
    printer.aside(`There is no dataset ${name} yet: it is waited for.`)
    return 0
  }
}

/** Oldest first. */
async function versionsAfter(almanac: Workbench, name: string, last: number): Promise<DatasetVersion[]> {
  const found: DatasetVersion[] = []
  let before: number | undefined
  for (;;) {
    const page = await almanac.datasets.versions(keyOf(almanac, name), {
      limit: 100,
      ...(before !== undefined && { before }),
    })
    const newer = page.filter(({ version }) => version > last)
    found.push(...newer)
    if (newer.length < 100) return found.reverse()
    before = newer.at(-1)?.version
  }
}

/** Says what came, and runs the command: its files stay as they are while that goes on. */
async function tell(
  almanac: Workbench,
  version: DatasetVersion,
  { exec }: DataWatchFlags,
  printer: Printer,
  stopping: Stopping,
): Promise<number> {
  printer.object({ kind: 'version', ...versionObject(version) })
  const name = `${version.dataset}@${version.version}`
  printer.line(`${name}  ${filesText(version.entries)}  ${pc.dim(makerText(version))}`)
  if (exec === undefined) return 0
  // however long the command takes
  const release = await almanac.data.pin(anywhere(version))
  try {
    return await execute(almanac, version, exec, printer, stopping)
  } finally {
    release()
  }
}

async function execute(
  almanac: Workbench,
  version: DatasetVersion,
  exec: string,
  printer: Printer,
  stopping: Stopping,
): Promise<number> {
  const path = await pathOf(almanac, version)
  if (path === undefined) {
    const { dataset, at = '' } = version
    const why = `its files in ${at} have changed since`
    const { code, message } = new AlmanacError('ALM_VERSION_GONE', { dataset, version: version.version, why })
    printer.object({ kind: 'not-run', dataset, version: version.version, code, message })
    printer.aside(`${pc.red('error')} ${message} The command was not run.`)
    return 1
  }
  const code = await run(
    exec,
    {
      ALMANAC_DATASET: version.dataset,
      ALMANAC_VERSION: String(version.version),
      ALMANAC_DIGEST: version.digest,
      ALMANAC_PATH: path,
    },
    stopping,
  )
  printer.object({ kind: 'exec', dataset: version.dataset, version: version.version, code })
  const name = `${version.dataset}@${version.version}`
  if (code !== 0) printer.aside(`${pc.red('error')} ${name}: the command ended with code ${code}`)
  return code
}

/** Where its files are; undefined where others lie there by now, and it is nowhere else. */
async function pathOf(almanac: Workbench, version: DatasetVersion): Promise<string | undefined> {
  const { data } = almanac
  const dir = anywhere(version)
  const { digest, entries, size, at } = dir
  if (at === undefined || (await isThere(almanac, dir))) return await data.open(dir)
  const stored = new DirRef(digest, entries, size)
  return (await data.available(stored)) ? await data.open(stored) : undefined
}

async function isThere({ data }: Workbench, dir: DirRef): Promise<boolean> {
  try {
    await data.verify([dir])
    return true
  } catch (error) {
    if (isAlmanacError(error) && passing.has(error.code)) return false
    throw error
  }
}

/** What a command is told: to stop, and when that is said again, that it is killed. */
interface Stopping {
  readonly stop: AbortSignal
  readonly kill: AbortSignal
}

/** In a group of its own, so that all that it has begun is stopped with it. */
function run(
  command: string,
  env: Readonly<Record<string, string>>,
  { stop, kill }: Stopping,
): Promise<number> {
  return new Promise((resolve, reject) => {
    // what the command prints goes beside the JSON lines, not between them
    const child = spawn(command, {
      shell: true,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...env },
      detached: true,
    })
    const { pid } = child
    const onStop = (): void => void (pid !== undefined && signalGroup(pid, 'SIGTERM'))
    const onKill = (): void => void (pid !== undefined && signalGroup(pid, 'SIGKILL'))
    stop.addEventListener('abort', onStop, { once: true })
    kill.addEventListener('abort', onKill, { once: true })
    if (stop.aborted) onStop()
    child.on('error', reject)
    child.on('close', (code) => {
      stop.removeEventListener('abort', onStop)
      kill.removeEventListener('abort', onKill)
      resolve(code ?? 1)
    })
  })
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // it has just ended
  }
}
