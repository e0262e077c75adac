import type { DatasetVersion } from '../../model/dataset.ts'
import { dirOfVersion } from '../../model/dataset.ts'
import { isAlmanacError } from '../../model/errors.ts'
import type { Digest } from '../../model/refs.ts'
import type { Datasets, NewVersion } from '../../ports/datasets.ts'
import type { MemoryData } from '../memory/memory-data.ts'
import { digestOf } from '../memory/memory-trees.ts'
import type { DurableRun } from './durable-run.ts'
import { Broken } from './failure.ts'

/** Datasets that programs read and publish to. */
export const datasetNames = ['d0', 'd1'] as const

/** What is in the files of programs: small numbers, of which the digest tells which. */
const numberOf = new Map(Array.from({ length: 1000 }, (_, n) => [digestOf(String(n)), n]))

/** The number in a file of the store. */
export const contentOf = (digest: Digest): number => numberOf.get(digest) ?? Number.NaN

/**
 * Watches the datasets of a world over all lives and processes, and says when a promise is broken:
 *
 * S20 a version is whole, from the moment that it is on record.
 * S21 of the same call the same tree is one version, however often it is tried.
 * S22 a version is made only upon the one that its maker saw, or upon its maker's own; numbers have no gaps.
 * S23 of a dataset a run reads one version, but for its own.
 */
export class Versions {
  readonly #data: MemoryData
  readonly #all: DatasetVersion[] = []
  /** by the digest of their directory */
  readonly #files = new Map<Digest, Readonly<Record<string, number>>>()
  #last: Promise<unknown> = Promise.resolve()
  readonly #strange: (error: unknown) => void

  /** `strange` is told of what is broken: thrown here, it would reach the engine */
  constructor(data: MemoryData, strange: (error: unknown) => void) {
    this.#data = data
    this.#strange = strange
  }

  get count(): number {
    return this.#all.length
  }

  filesOf(digest: Digest): Readonly<Record<string, number>> {
    return this.#files.get(digest) ?? {}
  }

  /** The datasets of one process. `later`: what it is answered takes its time, in which it may die. */
  watch(datasets: Datasets, later: <T>(value: T) => Promise<T>): Datasets {
    return {
      ...datasets,
      add: async (added) => {
        await later(undefined)
        const made = await this.#inTurn(() => this.#add(datasets, added))
        if (made instanceof Error) throw made
        return later(made as DatasetVersion)
      },
    }
  }

  async #add(datasets: Datasets, added: NewVersion): Promise<unknown> {
    const expected = this.#expected(added)
    const made = await datasets.add(added).catch((error: unknown) => error)
    await this.#added(added, expected, made)
    return made
  }

  /** What is expected of one is known when the one before it has been looked at. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work)
    this.#last = next.catch(() => undefined)
    return next
  }

  /** All versions are whole still. */
  async check(): Promise<void> {
    for (const version of this.#all) await this.#checkWhole(version)
  }

  /** What a run has read, by what is durable of its calls. */
  checkRead(run: string, { calls, outcomes }: Pick<DurableRun, 'calls' | 'outcomes'>): void {
    for (const dataset of datasetNames) {
      const [read, own] = [new Set<number>(), new Set<number>()]
      for (const [call, { state, valueWire }] of outcomes) {
        const { kind, name } = calls.get(call) ?? {}
        if ((kind !== 'read' && kind !== 'publish') || name !== dataset || state !== 'succeeded') continue
        const { version } = JSON.parse(valueWire ?? '') as { readonly version: number }
        ;(kind === 'read' ? read : own).add(version)
      }
      for (const one of this.#of(dataset)) if (one.run === run) own.add(one.version)
      const others = [...read].filter((version) => !own.has(version))
      if (others.length > 1)
        throw new Broken('S23', `the run read versions ${others.join(' and ')} of ${dataset}`)
    }
  }

  #of(dataset: string): readonly DatasetVersion[] {
    return this.#all.filter((one) => one.dataset === dataset)
  }

  /** The number that the version has, or that it is refused. */
  #expected({ dataset, run, call, digest, parent }: NewVersion): number | 'refused' {
    const there = this.#of(dataset)
    const own = there.findLast((one) => one.run === run && one.call === call && one.digest === digest)
    if (run !== undefined && own !== undefined) return own.version
    const newest = there.at(-1)
    const since = there.filter(({ version }) => parent !== undefined && version > parent)
    if (since.some((one) => one.run !== run || run === undefined)) return 'refused'
    return newest?.digest === digest ? newest.version : (newest?.version ?? 0) + 1
  }

  async #added(added: NewVersion, expected: number | 'refused', made: unknown): Promise<void> {
    const what = `${added.dataset} upon ${added.parent ?? 'any'} by call ${added.call} of ${added.run}`
    try {
      if (made instanceof Error) {
        if (expected !== 'refused' || !isAlmanacError(made) || made.code !== 'ALM_DATASET_MOVED')
          throw new Broken('S22', `${what}: ${made.message}, and not ${expected}`)
        return
      }
      const version = made as DatasetVersion
      if (version.version !== expected || version.digest !== added.digest)
        throw new Broken('S21', `${what} is version ${version.version}, and not ${expected}`)
      if (this.#of(added.dataset).some((one) => one.version === version.version)) return
      this.#all.push(version)
      await this.#checkWhole(version)
    } catch (error) {
      this.#strange(error)
    }
  }

  async #checkWhole(version: DatasetVersion): Promise<void> {
    const files: Record<string, number> = {}
    try {
      for await (const { path, digest, kind } of this.#data.entries(dirOfVersion(version))) {
        if (kind === 'empty-dir') continue
        const file = await this.#data.fileAt(dirOfVersion(version), path)
        const text = file === undefined ? '' : new TextDecoder().decode(await this.#data.readFile(file))
        if (digestOf(text) !== digest) throw new Error(`${path} is not what it was`)
        files[path] = Number(text)
      }
    } catch (error) {
      throw new Broken('S20', `version ${version.version} of ${version.dataset}: ${String(error)}`)
    }
    this.#files.set(version.digest, files)
  }
}
