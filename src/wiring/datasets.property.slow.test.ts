import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openDataPlane } from '../data/open.ts'
import { publisher } from '../engine/datasets/publish.ts'
import { openMemoryJournal } from '../journal/memory/open.ts'
import type { DatasetVersion } from '../model/dataset.ts'
import { dirOfVersion } from '../model/dataset.ts'
import { temporaryHome } from '../testing/temporary-home.ts'
import { datasetWork } from './dataset-work.ts'

const hour = 3_600_000
const names = ['a', 'b'] as const

/** What files are to lie there: their contents by name, few of both so that versions share them. */
const files = fc.dictionary(fc.constantFrom('x', 'y', 'sub/z'), fc.constantFrom('1', '2', '3'))

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      dataset: fc.constantFrom(...names),
      files,
      how: fc.constantFrom('managed' as const, 'move' as const),
    }),
    fc.record({
      do: fc.constant('rm' as const),
      dataset: fc.constantFrom(...names),
      version: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    }),
    fc.record({ do: fc.constant('gc' as const) }),
    fc.record({
      do: fc.constant('get' as const),
      dataset: fc.constantFrom(...names),
      version: fc.integer({ min: 1, max: 5 }),
    }),
  ),
  { minLength: 5, maxLength: 25 },
)

type Files = Readonly<Record<string, string>>

function write(root: string, all: Files): void {
  mkdirSync(root)
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

const readAll = (root: string): Files =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]),
  )

const sorted = (all: Files): string => JSON.stringify(Object.entries(all).toSorted())

/** Versions by number; a number is never given twice. */
class Model {
  readonly versions = new Map<number, string>()
  #last = 0

  add(all: Files): void {
    if (this.newest !== sorted(all)) this.versions.set(++this.#last, sorted(all))
  }

  get newest(): string | undefined {
    return this.versions.get(Math.max(...this.versions.keys()))
  }
}

it('datasets are what a naive model says after any adding, forgetting, collecting and writing', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const home = await temporaryHome()
      const [own, shown, raw, out] = ['.almanac', 'data', 'raw', 'out'].map((name) =>
        join(home.path, name),
      ) as [string, string, string, string]
      const data = openDataPlane({ home: own, data: shown })
      const { datasets } = openMemoryJournal()
      const publish = publisher({ datasets, data, clock: { now: () => 1 } })
      const work = datasetWork({ datasets, data, publish, now: () => 1 }, 'main', own)
      const model = { a: new Model(), b: new Model() }
      const keyOf = (dataset: string) => ({ environment: 'main', dataset, partition: '' })
      const versions = (dataset: string): Promise<readonly DatasetVersion[]> =>
        datasets.versions(keyOf(dataset), { limit: 100 })
      async function* roots(): AsyncGenerator<string> {
        for (const name of names) for (const { digest } of await versions(name)) yield digest
      }
      // dates of files are real, rounds are in the time to come
      let now = Date.now() + hour
      try {
        for (const step of all) {
          if (step.do === 'gc') {
            now += 2 * hour
            const report = await data.collectGarbage({ roots: roots(), graceMs: hour, now, dryRun: false })
            expect(report.missing).toBe(0)
          } else if (step.do === 'add') {
            write(raw, step.files)
            await work.addData({ dataset: step.dataset, path: raw, how: step.how })
            model[step.dataset].add(step.files)
            expect(readdirSync(home.path).includes('raw')).toBe(step.how === 'managed')
            rmSync(raw, { recursive: true, force: true })
          } else if (step.do === 'rm') {
            await work.removeVersions(step.dataset, step.version === undefined ? undefined : [step.version])
            if (step.version === undefined) model[step.dataset].versions.clear()
            else model[step.dataset].versions.delete(step.version)
          } else {
            const version = await datasets.version(keyOf(step.dataset), step.version)
            const known = model[step.dataset].versions.get(step.version)
            expect(version === undefined).toBe(known === undefined)
            if (version === undefined) continue
            await data.writeTo(dirOfVersion(version), out)
            expect(sorted(readAll(out))).toBe(known)
            rmSync(out, { recursive: true })
          }
          for (const name of names) {
            const { newest, versions: known } = model[name]
            const numbers = (await versions(name)).map(({ version }) => version)
            expect(numbers).toEqual([...known.keys()].toReversed())
            const isShown = (await data.shown('main', name)) !== undefined
            expect(isShown ? sorted(readAll(join(shown, 'main', name))) : undefined).toBe(newest)
          }
        }
        expect((await data.checkStore()).damaged).toEqual([])
      } finally {
        await data.close()
        await home.remove()
      }
    }),
    // a run that hangs is named, with its steps; where the disk is slow there are fewer of them
    { numRuns: 40, timeout: 60_000, interruptAfterTimeLimit: 120_000 },
  )
})
