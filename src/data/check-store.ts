import type { Digest } from '../model/refs.ts'
import type { Damage } from './blobs/check-blobs.ts'
import type { Parts } from './parts.ts'

export interface StoreReport {
  readonly blobs: number
  readonly bytes: number
  readonly damaged: readonly Damage[]
}

/** So many are read before the next are listed. */
const turn = 4096

/** Reads all blobs; damaged ones are moved aside. */
export async function checkStore({ store }: Pick<Parts, 'store'>): Promise<StoreReport> {
  const damaged: Damage[] = []
  let blobs = 0
  let bytes = 0
  let batch: Digest[] = []
  for await (const { digest, size } of store.list()) {
    blobs++
    bytes += size
    batch.push(digest)
    if (batch.length < turn) continue
    damaged.push(...(await store.check(batch)))
    batch = []
  }
  if (batch.length > 0) damaged.push(...(await store.check(batch)))
  return { blobs, bytes, damaged }
}
