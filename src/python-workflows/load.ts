import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { chosenWorkflow } from '../flow/chosen-workflow.ts'
import { limitRules } from '../flow/limits.ts'
import { definedWorkflow, type Workflow } from '../flow/workflow.ts'
import { AlmanacError } from '../model/errors.ts'
import type { Value } from '../model/value.ts'
import type { LoadedFile } from '../ports/code.ts'
import { type HostTools, PythonHost } from './host.ts'
import type { DescribedFile } from './messages.ts'
import { inputSchema } from './schemas.ts'

export interface PythonWorkflowsOptions {
  readonly project: string
  /** the interpreter that workflows live in; asked once */
  readonly python: () => Promise<string>
  readonly debug?: 'pdb' | 'debugpy'
  /** loads a workflow's file in another language */
  readonly load: (file: string) => Promise<LoadedFile>
}

/** A file as it was imported. */
interface Imported {
  readonly host: PythonHost
  readonly loaded: LoadedFile
  /** workflows of other files that it names */
  readonly foreign: DescribedFile['foreign']
}

/**
 * Python files with workflows in them. Owns the processes that they live in.
 *
 * L1 the same files give the same workflows within a process; where one has changed, a new process imports them
 * L2 what a file names of other files is there, and is a workflow, when the file has been loaded. Files may name each other
 *    in a circle: no import waits for that of another file
 */
export class PythonWorkflows {
  readonly #options: PythonWorkflowsOptions
  readonly #imported = new Map<string, Promise<Imported>>()
  readonly #hosts = new Set<PythonHost>()
  /** ends a process when nobody has a workflow of it any more, as after an edit */
  readonly #unused = new FinalizationRegistry<PythonHost>((host) => {
    this.#hosts.delete(host)
    void host.close()
  })
  /** workflows of other files, by file */
  readonly #foreign = new Map<string, LoadedFile>()

  constructor(options: PythonWorkflowsOptions) {
    this.#options = options
  }

  /** @throws ALM_LOAD_FAILED, ALM_PYTHON_MISSING */
  async load(given: string): Promise<LoadedFile> {
    const path = resolve(this.#options.project, given)
    const { loaded, foreign } = await this.#current(path)
    this.#foreign.set(path, loaded)
    await this.#find(foreign, new Set([path]))
    return loaded
  }

  async close(): Promise<void> {
    await Promise.all([...this.#hosts].map((host) => host.close()))
  }

  async #import(path: string): Promise<Imported> {
    const tools: HostTools = {
      workflow: (from, name, key) => {
        const workflow = this.#foreignWorkflow(from, name)
        return (key === undefined ? workflow : workflow.key(key)) as (input: Value) => unknown
      },
    }
    const { python, debug } = this.#options
    const start = { python: await python(), directory: dirname(path), ...(debug !== undefined && { debug }) }
    const host = new PythonHost(start, tools)
    this.#hosts.add(host)
    try {
      return await this.#importInto(host, path)
    } catch (error) {
      // each try has a process of its own
      await host.close()
      this.#hosts.delete(host)
      throw error
    }
  }

  async #importInto(host: PythonHost, path: string): Promise<Imported> {
    const described = await host.load(path)
    const inputs = [path, ...described.files.filter((one) => one !== path)]
    const digest = await digestOf(inputs)
    const loaded = { file: path, exports: this.#exports(host, described), inputs, digest }
    return { host, loaded, foreign: described.foreign }
  }

  /** As it was imported, if its files are the same still. */
  async #current(named: string): Promise<Imported> {
    const path = await realpath(named).catch(() => {
      throw new AlmanacError('ALM_LOAD_FAILED', { file: named, why: 'there is no such file.' })
    })
    const known = this.#imported.get(path)
    const before = await known?.catch(() => undefined)
    if (
      before !== undefined &&
      !before.host.isGone &&
      (await digestOf(before.loaded.inputs)) === before.loaded.digest
    )
      return before
    // somebody else may have begun meanwhile
    const now = this.#imported.get(path)
    if (now !== undefined && now !== known) return now
    const importing = this.#import(path)
    this.#imported.set(path, importing)
    return importing
  }

  /** Loads what is named, and what that names. @throws ALM_LOAD_FAILED, ALM_NO_WORKFLOW, ALM_USAGE */
  async #find(named: DescribedFile['foreign'], seen: Set<string>): Promise<void> {
    for (const { file, export: name } of named) {
      if (!seen.has(file)) {
        seen.add(file)
        if (extname(file) === '.py') {
          const { loaded, foreign } = await this.#current(file)
          this.#foreign.set(file, loaded)
          await this.#find(foreign, seen)
        } else this.#foreign.set(file, await this.#options.load(file))
      }
      this.#foreignWorkflow(file, name)
    }
  }

  #exports(host: PythonHost, { workflows }: DescribedFile): Readonly<Record<string, unknown>> {
    // lives as long as any of its workflows
    const home = { host }
    this.#unused.register(home, host)
    const made = Object.entries(workflows).map(([name, described]) => {
      const { file: from, line, limits, function: fn } = described
      const definition = {
        name: described.name,
        fn: (input: Value) => home.host.enter(fn, input ?? {}, home),
        input: inputSchema(described),
        output: undefined,
        limits: limitRules(described.name, limits),
        definedAt: { file: from, line },
        from: { file: from, named: described.name },
      }
      return [name === 'main' ? 'default' : name, definedWorkflow(definition)] as const
    })
    return Object.fromEntries(made)
  }

  #foreignWorkflow(from: string, name: string): Workflow<unknown, unknown> {
    const exports = this.#foreign.get(from)?.exports
    if (exports === undefined) throw new AlmanacError('ALM_NO_WORKFLOW', { file: from })
    const choice = name === 'default' ? {} : { named: name }
    return chosenWorkflow(from, exports, choice)
  }
}

/** Of what was imported, by path. */
async function digestOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of files) {
    const content = await readFile(path).catch(() => Buffer.from('gone'))
    hash.update(JSON.stringify([path, createHash('sha256').update(content).digest('hex')]))
  }
  return hash.digest('hex')
}
