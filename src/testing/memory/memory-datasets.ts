import { openMemoryJournal } from '../../journal/memory/open.ts'
import type { Datasets } from '../../ports/datasets.ts'

/** Datasets of a journal in memory. */
export const memoryDatasets = (): Datasets => openMemoryJournal().datasets
