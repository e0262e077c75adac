import type { Attempt, Executor, ExecutorListener } from '../../ports/executor.ts'
import { systemClock } from '../../system/system-clock.ts'

/**
 * A process of its own that hosts an executor, to be killed: `node executor-host.ts JSON`, where the JSON is a
 * `HostedWork`. It submits the attempts and lives until it is ended.
 */
export interface HostedWork {
  /** what to import, and the function to open it with */
  readonly module: string
  readonly open: string
  readonly options: Readonly<Record<string, unknown>>
  readonly attempts: readonly Attempt[]
  /** the function of inline attempts */
  readonly fn?: { readonly module: string; readonly name: string }
}

type Open = (
  options: Readonly<Record<string, unknown>>,
  listener: ExecutorListener,
) => Executor | Promise<Executor>

const silent: ExecutorListener = {
  started: () => undefined,
  log: () => undefined,
  heartbeat: () => undefined,
  note: () => undefined,
  ended: (id, end) => process.stderr.write(`${id} ${JSON.stringify(end)}\n`),
}

const named = async (module: string, name: string): Promise<unknown> =>
  ((await import(module)) as Record<string, unknown>)[name]

const work = JSON.parse(process.argv[2] ?? '') as HostedWork
const open = (await named(work.module, work.open)) as Open
const fn = work.fn && ((await named(work.fn.module, work.fn.name)) as NonNullable<Attempt['fn']>)
const executor = await open({ clock: systemClock, ...work.options }, silent)
executor.submit(work.attempts.map((attempt) => (fn === undefined ? attempt : { ...attempt, fn })))
// lives until it is killed
setInterval(() => undefined, 60_000)
