import { realpathSync, statSync } from 'node:fs'
import { setSourceMapsSupport } from 'node:module'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import type { Digest } from '../model/refs.ts'
import type { SourcePlace, TaskSpec } from '../model/task.ts'
import type { CodeFingerprint, CodeSource, LoadedFile } from '../ports/code.ts'
import type { Bundle } from './bundle.ts'
import { Bundlers } from './bundlers.ts'
import { CodeCache } from './code-cache.ts'
import { countCommand, countContainer, countScript } from './commands.ts'
import { type Target, targetKey } from './counted-code.ts'
import { fromBuild, fromImport, isBuildFailure, loadFailed, shown } from './load-error.ts'
import { codeFiles } from './module-code.ts'
import { emptyTrail, installedPackage, isInstalled, packageDigest } from './packages.ts'
import { PythonSource } from './python.ts'
import type { PythonCount } from './python-process.ts'
import { sha256All } from './sha256.ts'
import { type KeptCount, readUnit, targetAt, type Unit } from './unit.ts'
import { UnitMaker } from './unit-maker.ts'
import { undeclaredWarnings } from './warnings.ts'

export interface CodeSourceOptions {
  /** Almanac's home: what is known of code is kept in its folder `code` */
  readonly home: string
  /** the project's root: names of parts are paths within it */
  readonly project: string
  /** what `almanac` stands for in files that are loaded: the module that loads them */
  readonly almanacUrl: URL | string
  /** finds the interpreter that runs Python files where nothing else is said: it reads them; `python3` if absent */
  readonly python?: () => Promise<string>
}

/** Code on this machine. Loading a file turns source maps on in this process, so that stacks name the author's lines. */
export const openCodeSource = (options: CodeSourceOptions): CodeSource => new FileCodeSource(options)

/**
 * Owns what is loaded in this process.
 *
 * L1 a function counts as it was loaded: a file that is edited during a run changes nothing until it is loaded again.
 * L2 what was loaded last under a file's name is what definitions in that file belong to.
 */
class FileCodeSource implements CodeSource {
  readonly #project: string
  readonly #cache: CodeCache
  readonly #almanac: Readonly<Record<string, string>>
  readonly #python: PythonSource
  /** by each of the author's files in them */
  readonly #units = new Map<string, Promise<Unit>>()
  /** of those the ones that are there */
  readonly #made = new WeakMap<Promise<Unit>, Unit>()
  readonly #installed = new Map<string, Digest>()
  readonly #bundlers = new Bundlers()

  constructor({ home, project, almanacUrl, python = async () => 'python3' }: CodeSourceOptions) {
    this.#project = realpathSync(project)
    this.#cache = new CodeCache(join(resolve(home), 'code'))
    this.#almanac = almanacModules(new URL(almanacUrl))
    this.#python = new PythonSource(this.#project, this.#cache, python)
  }

  async load(given: string): Promise<LoadedFile> {
    const file = this.#realFile(given)
    setSourceMapsSupport(true, { nodeModules: false, generatedCode: false })
    const name = `run-${sha256All([file, this.#project, ...Object.values(this.#almanac)]).slice(0, 24)}.json`
    const known = readUnit(this.#cache, name, Date.now())
    if (known?.bundle !== undefined && this.#cache.has(known.bundle)) {
      return this.#loaded({ name: known.bundle, inputs: known.inputs }, file, Promise.resolve(known))
    }
    const maker = await this.#maker()
    const bundle = await this.#said(file, () => maker.bundle(file, this.#almanac))
    return this.#loaded(
      bundle,
      file,
      this.#said(file, () => maker.unit(file, bundle, name)),
    )
  }

  async #loaded({ name, inputs }: Bundle, file: string, unit: Promise<Unit>): Promise<LoadedFile> {
    for (const input of inputs) this.#setUnit(input, unit)
    const path = join(this.#cache.folder, name)
    const [imported, counted] = await Promise.allSettled([
      import(/* @vite-ignore */ pathToFileURL(path).href) as Promise<Readonly<Record<string, unknown>>>,
      unit,
    ])
    if (imported.status === 'rejected') {
      throw fromImport(this.#project, file, new Set(inputs), imported.reason)
    }
    if (counted.status === 'rejected') throw counted.reason
    return { file, exports: imported.value, inputs, digest: counted.value.digest }
  }

  async fingerprint(task: TaskSpec): Promise<CodeFingerprint> {
    const { body, version } = task
    if (version !== undefined) return ofVersion(version)
    switch (body.kind) {
      case 'function':
      case 'thread':
        return this.#ofFunction(task)
      case 'python': {
        const { file, function: name, env } = body
        return ofPython(task, await this.#python.count(file, name, env?.python))
      }
      case 'command':
        return countCommand(task, body, this.#project)
      case 'script':
        return countScript(body)
      case 'container':
        return countContainer(task, body, this.#project)
      case 'source': {
        const digest = sha256All(['source', body.from])
        return { digest, parts: { source: digest }, warnings: [] }
      }
    }
  }

  known(task: TaskSpec): CodeFingerprint | undefined {
    const { body, version, definedAt } = task
    if (version !== undefined) return ofVersion(version)
    if (body.kind === 'python') {
      const count = this.#python.known(body.file, body.function)
      return count && ofPython(task, count)
    }
    if ((body.kind !== 'function' && body.kind !== 'thread') || definedAt === undefined) return undefined
    const { file, line, column } = definedAt
    const unit = this.#knownUnit(file)
    if (unit === undefined) return undefined
    const target = targetAt(unit, file, line, column)
    const count = unit.counted[targetKey(target)]
    return count && this.#ofCounted(task, definedAt, { unit, target, count })
  }

  isStill(task: TaskSpec, digest: Digest): boolean | Promise<boolean | 'unreadable'> {
    const { body, version } = task
    if (body.kind !== 'python' || version !== undefined) return true
    if (this.#python.isStill(body.file, body.function, digest)) return true
    return this.fingerprint(task).then(
      (now) => now.digest === digest,
      (error: unknown) => isUnreadable(body.file, error) && 'unreadable',
    )
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#units.values())
    await this.#python.close()
    await this.#bundlers.stop()
  }

  async #ofFunction(task: TaskSpec): Promise<CodeFingerprint> {
    const { definedAt } = task
    if (definedAt === undefined || !codeFiles.test(definedAt.file)) {
      const why = 'it was not defined in a file; give it a version'
      throw new AlmanacError('ALM_TASK_NOT_FOUND', { what: `The code of task ${task.name}`, why })
    }
    // it may be gone since it was loaded
    const file = this.#units.has(definedAt.file) ? definedAt.file : this.#realFile(definedAt.file)
    if (isInstalled(file) && !this.#units.has(file)) return this.#ofInstalled(task.name, file)
    return this.#ofCounted(task, { ...definedAt, file }, await this.#counted(file, definedAt))
  }

  #ofCounted(
    task: TaskSpec,
    { file, line }: SourcePlace,
    { unit, target, count }: CountedDefinition,
  ): CodeFingerprint {
    const place = `${shown(this.#project, file)}:${line}`
    const whole = `${place} task ${task.name} is no export: it counts with all of ${shown(this.#project, target.file)}`
    return {
      digest: count.digest,
      parts: Object.fromEntries(count.parts.flatMap((i) => unit.parts.slice(i, i + 1))),
      warnings: [
        ...(target.exported === undefined ? [whole] : []),
        ...undeclaredWarnings(count.undeclared, task),
      ],
    }
  }

  async #counted(file: string, { line, column }: SourcePlace): Promise<CountedDefinition> {
    const unit = await this.#unitOf(file)
    const target = targetAt(unit, file, line, column)
    const key = targetKey(target)
    const count = unit.counted[key]
    if (count !== undefined) return { unit, target, count }
    const maker = await this.#maker()
    const extending = this.#said(file, () => maker.extended(unit, target))
    this.#setUnit(file, extending)
    const extended = await extending
    return { unit: extended, target, count: extended.counted[key] as KeptCount }
  }

  /** Of a module that Node loaded itself, it is what the file is when it is first asked for. */
  async #unitOf(file: string): Promise<Unit> {
    const known = this.#units.get(file)
    if (known !== undefined) return known
    const name = this.#countName(file)
    const kept = readUnit(this.#cache, name, Date.now())
    if (kept !== undefined) return kept
    const maker = await this.#maker()
    const unit = this.#said(file, () => maker.unit(file, undefined, name))
    this.#setUnit(file, unit)
    return unit
  }

  /** The unit of a file of the author's, if nothing has to be made or waited for. */
  #knownUnit(file: string): Unit | undefined {
    const loaded = this.#units.get(file)
    if (loaded !== undefined) return this.#made.get(loaded)
    if (!codeFiles.test(file) || isInstalled(file)) return undefined
    return readUnit(this.#cache, this.#countName(file), Date.now())
  }

  #setUnit(file: string, unit: Promise<Unit>): void {
    this.#units.set(file, unit)
    unit.then(
      (made) => this.#made.set(unit, made),
      // said to who asked for it
      () => undefined,
    )
  }

  #countName(file: string): string {
    return `count-${sha256All([file, this.#project]).slice(0, 24)}.json`
  }

  /** Code in a package counts by the package's version, and by the versions of all that it needs. */
  #ofInstalled(task: string, file: string): CodeFingerprint {
    const { name, folder } = installedPackage(file)
    const known = this.#installed.get(folder) ?? packageDigest(folder, emptyTrail())
    this.#installed.set(folder, known)
    return { digest: sha256All([task, known]), parts: { [`package:${name}`]: known }, warnings: [] }
  }

  #maker(): Promise<UnitMaker> {
    return UnitMaker.begin(this.#project, this.#cache, this.#bundlers)
  }

  /** What the bundler says about the author's code, as an error of ours. */
  async #said<T>(file: string, make: () => Promise<T>): Promise<T> {
    try {
      return await make()
    } catch (error) {
      throw isBuildFailure(error) ? fromBuild(this.#project, file, error) : error
    }
  }

  #realFile(given: string): string {
    const file = resolve(this.#project, given)
    const stats = statSync(file, { throwIfNoEntry: false })
    const why = stats === undefined ? 'there is no such file.' : whyNoCode(file, stats.isFile())
    if (why !== undefined) throw loadFailed(this.#project, { file, why, place: undefined })
    return realpathSync(file)
  }
}

/** It is gone, or half written; and not without the function. */
const isUnreadable = (file: string, error: unknown): boolean =>
  statSync(file, { throwIfNoEntry: false }) === undefined ||
  (isAlmanacError(error) && error.code === 'ALM_LOAD_FAILED')

function ofVersion(version: string): CodeFingerprint {
  const digest = sha256All(['version', version])
  return { digest, parts: { version: digest }, warnings: [] }
}

const ofPython = (task: TaskSpec, { digest, parts, warnings, findings }: PythonCount): CodeFingerprint => ({
  digest,
  parts,
  warnings: [...warnings, ...undeclaredWarnings(findings, task)],
})

interface CountedDefinition {
  readonly unit: Unit
  readonly target: Target
  readonly count: KeptCount
}

const whyNoCode = (file: string, isFile: boolean): string | undefined => {
  if (!isFile) return 'it is no file.'
  return codeFiles.test(file) ? undefined : `${extname(file) || 'it'} is neither TypeScript nor JavaScript.`
}

/** Run from its sources or as it is built, the same copy. */
function almanacModules(url: URL): Readonly<Record<string, string>> {
  const testing = extname(url.pathname) === '.ts' ? './testing/index.ts' : './testing.js'
  return { almanac: url.href, 'almanac/testing': new URL(testing, url).href }
}
