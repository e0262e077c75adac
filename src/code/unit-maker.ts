import { relative } from 'node:path'
import { AlmanacError } from '../model/errors.ts'
import { type Bundle, bundle } from './bundle.ts'
import type { Bundlers } from './bundlers.ts'
import type { CodeCache } from './code-cache.ts'
import { countedCode, type Target } from './counted-code.ts'
import { codeFiles } from './module-code.ts'
import { emptyTrail } from './packages.ts'
import { sha256All } from './sha256.ts'
import { SourceFiles } from './source-files.ts'
import { type Stamp, stampOf } from './stamps.ts'
import { openParser } from './syntax.ts'
import { type DefiningModule, definingModule, targetsOf, type Unit, withCounted } from './unit.ts'

/**
 * Makes one unit.
 *
 * N1 all of a unit comes from one reading of its files: what counts is what is run.
 * N2 a unit whose files changed while it was made is used, but not kept.
 */
export class UnitMaker {
  readonly #project: string
  readonly #cache: CodeCache
  readonly #bundlers: Bundlers
  readonly #files: SourceFiles
  readonly #trail = emptyTrail()
  readonly #startedAt = Date.now()

  static async begin(project: string, cache: CodeCache, bundlers: Bundlers): Promise<UnitMaker> {
    return new UnitMaker(project, cache, bundlers, new SourceFiles(await openParser()))
  }

  private constructor(project: string, cache: CodeCache, bundlers: Bundlers, files: SourceFiles) {
    this.#project = project
    this.#cache = cache
    this.#bundlers = bundlers
    this.#files = files
  }

  bundle(file: string, almanac: Readonly<Record<string, string>>): Promise<Bundle> {
    return bundle(file, {
      project: this.#project,
      bundlers: this.#bundlers,
      cache: this.#cache,
      files: this.#files,
      trail: this.#trail,
      almanac,
    })
  }

  /** Counts all definitions in the files of the bundle, or in the file alone, and keeps the unit. */
  async unit(file: string, made: Bundle | undefined, name: string): Promise<Unit> {
    const inputs = made?.inputs ?? [file]
    const modules: Record<string, DefiningModule> = {}
    for (const path of inputs) {
      if (!codeFiles.test(path)) continue
      const module = definingModule(this.#files.code(path))
      if (module.places.length + module.inner.length > 0) modules[path] = module
    }
    const targets = targetsOf({ file, modules })
    const counted = await this.#count(targets)
    return this.#keep({
      name,
      file,
      bundle: made?.name,
      inputs,
      digest: sha256All(inputs.flatMap((path) => [relative(this.#project, path), this.#files.digest(path)])),
      modules,
      ...withCounted({ counted: {}, parts: [] }, counted.counted),
      ...this.#stamps(new Set([...inputs, ...counted.inputs])),
    })
  }

  /** Counts what was not seen to be a definition. @throws ALM_INPUT_CHANGED: it is no longer what was loaded */
  async extended(unit: Unit, target: Target): Promise<Unit> {
    const { counted, inputs } = await this.#count([target])
    const then = new Map(unit.stamps.map(({ path, digest }) => [path, digest]))
    for (const path of inputs) {
      if ((then.get(path) ?? this.#files.digest(path)) === this.#files.digest(path)) continue
      throw new AlmanacError('ALM_INPUT_CHANGED', { path })
    }
    const { stamps, absent } = this.#stamps(new Set([...unit.inputs, ...inputs]))
    return this.#keep({ ...unit, ...withCounted(unit, counted), stamps, absent: [...unit.absent, ...absent] })
  }

  #count(targets: readonly Target[]): ReturnType<typeof countedCode> {
    return countedCode(targets, {
      project: this.#project,
      bundlers: this.#bundlers,
      files: this.#files,
      trail: this.#trail,
    })
  }

  #stamps(inputs: ReadonlySet<string>): Pick<Unit, 'stamps' | 'absent'> {
    const stamps: Stamp[] = []
    for (const path of new Set([...inputs, ...this.#trail.read])) {
      const stamp = stampOf(path, this.#startedAt, inputs.has(path) ? this.#files.digest(path) : undefined)
      if (stamp !== undefined) stamps.push(stamp)
    }
    return { stamps, absent: [...this.#trail.absent] }
  }

  #keep(unit: Unit): Unit {
    const stamped = new Map(unit.stamps.map((stamp) => [stamp.path, stamp]))
    const same = unit.inputs.every((path) => stamped.has(path))
    const quiet = [...this.#trail.read].every((path) => {
      const { mtimeMs, ctimeMs } = stamped.get(path) ?? { mtimeMs: Infinity, ctimeMs: Infinity }
      return Math.max(mtimeMs, ctimeMs) < this.#startedAt
    })
    if (same && quiet) this.#cache.write(unit.name, unit)
    return unit
  }
}
