/** A list in pieces of at most `size`. */
export function batches<T>(items: readonly T[], size: number): T[][] {
  const all: T[][] = []
  for (let at = 0; at < items.length; at += size) all.push(items.slice(at, at + size))
  return all
}

/** What makes a batch full: so many items, or so much weight of all of them. */
export interface Full {
  readonly items: number
  readonly weight: number
}

/** Things in batches, in their order: each ends with the one that makes it full, and the last with the last. */
export function* fullBatches<T>(
  items: Iterable<T>,
  weightOf: (item: T) => number,
  full: Full,
): Generator<T[], void, void> {
  let batch: T[] = []
  let weight = 0
  for (const item of items) {
    batch.push(item)
    weight += weightOf(item)
    if (batch.length < full.items && weight < full.weight) continue
    yield batch
    batch = []
    weight = 0
  }
  if (batch.length > 0) yield batch
}
