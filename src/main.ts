import { homeOf } from './project.ts'
import { openJournal } from './wiring/open-journal.ts'
import type { Workbench, WorkbenchOptions } from './workbench.ts'

/** With `wiring/` the only place that names concrete adapters. */
export async function openAlmanac(options: WorkbenchOptions = {}): Promise<Workbench> {
  const { project, home } = homeOf(options)
  // first of all: whether anything can be kept there at all. While its thread starts, the rest is loaded
  const opening = openJournal(home, options)
  const loading = import('./wiring/assemble.ts')
  const own = await opening
  return (await loading).assemble(own, { ...options, project, home })
}
