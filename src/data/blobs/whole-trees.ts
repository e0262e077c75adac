import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../model/refs.ts'
import { inStore, isMissing } from '../files/failures.ts'
import type { Home } from '../files/home.ts'
import { isDigest, shards } from '../files/home.ts'

/** Trees that are remembered from one process to the next: the oldest are forgotten. */
const keptTrees = 1000

/**
 * Which trees are in the store with all that is in them, so that none is looked at blob by blob again only because a
 * new process asks. Owns the memory of it, `stat-cache/whole.json`.
 *
 * W1 a tree that is remembered was whole when the folders of the store were in the states remembered with it. What a
 *    person or a collection has taken away since has changed its folder's state: there, and only there, it is looked
 *    for again (`suspects`).
 * W2 nothing is remembered of a time in which anything was moved aside or removed.
 * W3 a blob that is missing all the same drops the memory, so that the next process looks at everything.
 */
export class WholeTrees {
  readonly #home: Home
  readonly #file: string
  #loaded: Loaded | undefined
  /** whole, looked at in this process or before */
  readonly #whole = new Set<Digest>()
  /** whole but for what may be missing from the folders that have changed */
  readonly #before = new Set<Digest>()
  #changed = false

  constructor(home: Home) {
    this.#home = home
    this.#file = join(home.statCache, 'whole.json')
    // now, before anything of this process's own changes a folder
    this.#load()
  }

  has(root: Digest): boolean {
    this.#load()
    return this.#whole.has(root)
  }

  /** Folders of the store in which its blobs must be looked for; undefined: in all. */
  suspects(root: Digest): ReadonlySet<string> | undefined {
    const { suspects } = this.#load()
    return this.#before.has(root) ? suspects : undefined
  }

  /** It was looked at, or made of what is there. */
  add(root: Digest): void {
    this.#load()
    if (this.#whole.has(root)) return
    this.#whole.add(root)
    this.#changed = true
  }

  /** Something is missing. */
  forget(): void {
    this.#whole.clear()
    this.#before.clear()
    this.#changed = false
    inStore(this.#file, () => rmSync(this.#file, { force: true }))
  }

  /** Blobs are about to be removed for good: every process that knows of whole trees must look again. */
  changed(): void {
    inStore(this.#home.trash, () => utimesSync(this.#home.trash, Date.now() / 1000, Date.now() / 1000))
    this.forget()
  }

  /** For the next process, when all of this one's blobs are in their places. */
  save(): void {
    const states = this.#states()
    // what goes now is seen by the states, or stops this
    if (this.#aside() !== this.#loaded?.aside || this.#whole.size === 0) return
    if (!this.#changed && this.#loaded.states.every((state, i) => state === states[i])) return
    const memory: Memory = { version, states, trees: [...this.#whole].slice(-keptTrees) }
    inStore(this.#file, () => {
      mkdirSync(this.#home.statCache, { recursive: true })
      const temporary = `${this.#file}.${crypto.randomUUID()}.tmp`
      writeFileSync(temporary, JSON.stringify(memory))
      renameSync(temporary, this.#file)
    })
  }

  #load(): Loaded {
    // before anything is looked at
    const aside = this.#aside()
    if (this.#loaded?.aside === aside) return this.#loaded
    const states = this.#states()
    // in this process's own time something was taken away: what was known before is to be looked at again
    this.#whole.clear()
    this.#before.clear()
    const memory = this.#loaded === undefined ? this.#read() : undefined
    const suspects = new Set(shards.filter((_, i) => memory?.states[i] !== states[i]))
    for (const root of memory?.trees ?? []) (suspects.size === 0 ? this.#whole : this.#before).add(root)
    this.#loaded = { aside, states, suspects }
    return this.#loaded
  }

  #states(): string[] {
    return shards.map((name) => stateOf(`${this.#home.store}/${name}`))
  }

  /** Changes whenever a blob is moved aside, taken back or removed by one of us. */
  #aside(): string {
    return `${stateOf(this.#home.trash)} ${stateOf(this.#home.damaged)}`
  }

  #read(): Memory | undefined {
    return inStore(this.#file, () => {
      try {
        const memory: unknown = JSON.parse(readFileSync(this.#file, 'utf8'))
        return isMemory(memory) ? memory : undefined
      } catch (error) {
        // a cache: one that is cut off is none
        if (isMissing(error) || error instanceof SyntaxError) return undefined
        throw error
      }
    })
  }
}

interface Loaded {
  /** the state of what holds blobs that were moved aside */
  readonly aside: string
  readonly states: readonly string[]
  readonly suspects: ReadonlySet<string>
}

interface Memory {
  readonly version: typeof version
  /** of the 256 folders of the store */
  readonly states: readonly string[]
  readonly trees: readonly Digest[]
}

const version = 1

function isMemory(value: unknown): value is Memory {
  if (typeof value !== 'object' || value === null) return false
  const { version: found, states, trees } = value as Partial<Record<keyof Memory, unknown>>
  return (
    found === version &&
    Array.isArray(states) &&
    Array.isArray(trees) &&
    trees.every((one) => typeof one === 'string' && isDigest(one))
  )
}

function stateOf(path: string): string {
  const stat = inStore(path, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }))
  return stat === undefined ? '' : `${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs}`
}
