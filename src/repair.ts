import type { Salvage } from './journal/sqlite/salvage/salvage.ts'
import { homeOf } from './project.ts'

export type { Salvage } from './journal/sqlite/salvage/salvage.ts'

/**
 * What can be saved of a project's damaged journal; with `apply` it takes that one's place.
 * @throws ALM_JOURNAL_DAMAGED where nothing can be read, ALM_JOURNAL_FAILED while a process has a run
 */
export async function repairJournal(
  project: string | undefined,
  options: { readonly apply: boolean },
): Promise<Salvage> {
  const { salvageJournal } = await import('./journal/sqlite/salvage/salvage.ts')
  return salvageJournal(homeOf({ ...(project !== undefined && { project }) }).home, options)
}
