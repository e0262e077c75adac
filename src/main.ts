import { workerData } from 'node:worker_threads'
import { AlmanacError } from './model/errors.ts'
import { homeOf } from './project.ts'
import { openJournal } from './wiring/open-journal.ts'
import { makeRoom } from './wiring/room.ts'
import type { Workbench, WorkbenchOptions } from './workbench.ts'

/** With `wiring/` the only place that names concrete adapters. */
export async function openAlmanac(options: WorkbenchOptions = {}): Promise<Workbench> {
  refuseInThread()
  const { project, home } = homeOf(options)
  if (options.frees === true) makeRoom(home)
  // while its thread starts the rest is loaded, which hears of its failure
  const opening = openJournal(home, options)
  opening.catch(() => undefined)
  // first what finds the workflow: where that is in Python, its process starts meanwhile too
  const { openCode } = await import('./wiring/code.ts')
  const code = openCode({ home, project, debug: options.python?.debug, near: options.near })
  const { assemble } = await import('./wiring/assemble.ts')
  return assemble({ opening, code }, { ...options, project, home })
}

/** A program that defines a task for threads is loaded by those: it would run itself again in each. */
function refuseInThread(): void {
  if ((workerData as { readonly almanac?: unknown } | null)?.almanac !== 'thread') return
  const why =
    'a module with tasks for threads opens Almanac when it is loaded: define them in another module, or open it where import.meta.main is true'
  throw new AlmanacError('ALM_USAGE', { why })
}
