/** Something that takes as long as it is large. */
export interface Sized {
  readonly size: number
}

/** What one job takes: not many files, and of large ones few, so that no thread is left alone with them. */
const shareItems = 64
const shareBytes = 16 << 20

/** Files in shares for the threads of a pool, in their order. */
export function sharesOf<T extends Sized>(files: readonly T[]): T[][] {
  const shares: T[][] = []
  let share: T[] = []
  let bytes = 0
  for (const file of files) {
    share.push(file)
    bytes += file.size
    if (share.length < shareItems && bytes < shareBytes) continue
    shares.push(share)
    share = []
    bytes = 0
  }
  if (share.length > 0) shares.push(share)
  return shares
}

export const sizeOf = (files: readonly Sized[]): number => files.reduce((sum, { size }) => sum + size, 0)
