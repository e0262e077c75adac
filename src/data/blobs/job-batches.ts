import { fullBatches } from '../files/batches.ts'

/** Something that takes as long as it is large. */
export interface Sized {
  readonly size: number
}

/** Not many files, and of large ones few, so that no thread is left alone with them. */
const full = { items: 64, weight: 16 << 20 }

/** Files in batches for the threads of a pool, each for one job. */
export const jobBatches = <T extends Sized>(files: readonly T[]): T[][] => [
  ...fullBatches(files, ({ size }) => size, full),
]

export const totalSize = (files: readonly Sized[]): number => files.reduce((sum, { size }) => sum + size, 0)
