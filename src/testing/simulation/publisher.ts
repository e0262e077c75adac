import { publisher } from '../../engine/datasets/publish.ts'
import { memoryDatasets } from '../../journal/memory/datasets.ts'
import type { MemoryStore } from '../../journal/memory/store.ts'
import type { MemoryData } from '../memory/memory-data.ts'
import type { SeededChance } from '../seeded-chance.ts'
import { datasetNames, type Versions } from './versions.ts'

interface Place {
  readonly store: MemoryStore
  readonly data: MemoryData
  readonly chance: SeededChance
  readonly versions: Versions
  readonly now: number
}

/** Another process publishes some files, upon whatever is there, and has ended. */
export async function publishElsewhere(
  { store, data, chance, versions, now }: Place,
  dataset: string = chance.pick(datasetNames),
): Promise<void> {
  const names = Array.from({ length: chance.below(5) }, (_, i) => `${i}.txt`)
  const files = await Promise.all(
    names.map(
      async (name) =>
        [name, await data.writeFile(name, new TextEncoder().encode(String(chance.below(1000))))] as const,
    ),
  )
  const datasets = versions.watch(memoryDatasets(store), (value) => Promise.resolve(value))
  const publish = publisher({ datasets, data, clock: { now: () => now } })
  const dir = await data.assemble(files)
  const run = `other-${versions.count}`
  await publish({ environment: 'main', dataset, dir, run, call: 0, maker: 'publish' })
}
