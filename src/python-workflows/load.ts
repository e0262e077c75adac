import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
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
}

/**
 * Python files with workflows in them. Owns the processes that they live in.
 *
 * L1 the same files give the same workflows within a process; where one has changed, a new process imports them
 */
export class PythonWorkflows {
  readonly #options: PythonWorkflowsOptions
  readonly #imported = new Map<string, Promise<Imported>>()
  readonly #hosts = new Set<PythonHost>()
  /** workflows of other files, by file */
  readonly #foreign = new Map<string, LoadedFile>()

  constructor(options: PythonWorkflowsOptions) {
    this.#options = options
  }

  /** @throws ALM_LOAD_FAILED, ALM_PYTHON_MISSING */
  async load(given: string): Promise<LoadedFile> {
    const path = await realpath(resolve(this.#options.project, given)).catch(() => {
      throw new AlmanacError('ALM_LOAD_FAILED', { file: given, why: 'there is no such file.' })
    })
    const before = await this.#imported.get(path)?.catch(() => undefined)
    if (
      before !== undefined &&
      !before.host.isGone &&
      (await digestOf(before.loaded.inputs)) === before.loaded.digest
    )
      return before.loaded
    const importing = this.#import(path)
    this.#imported.set(path, importing)
    return (await importing).loaded
  }

  async close(): Promise<void> {
    await Promise.all([...this.#hosts].map((host) => host.close()))
  }

  async #import(path: string): Promise<Imported> {
    const tools: HostTools = { workflow: (from, name) => this.#foreignWorkflow(from, name) }
    const { python, debug } = this.#options
    const start = { python: await python(), directory: dirname(path), ...(debug !== undefined && { debug }) }
    const host = new PythonHost(start, tools)
    this.#hosts.add(host)
    const described = await host.load(path)
    for (const { file: from } of described.foreign)
      if (!this.#foreign.has(from)) this.#foreign.set(from, await this.#options.load(from))
    const inputs = [path, ...described.files.filter((one) => one !== path)]
    return {
      host,
      loaded: { file: path, exports: this.#exports(host, described), inputs, digest: await digestOf(inputs) },
    }
  }

  #exports(host: PythonHost, { workflows }: DescribedFile): Readonly<Record<string, unknown>> {
    const made = Object.entries(workflows).map(([name, described]) => {
      const { file: from, line, limits, function: fn } = described
      const definition = {
        name: described.name,
        fn: (input: Value) => host.enter(fn, input ?? {}),
        input: inputSchema(described),
        output: undefined,
        limits: limitRules(described.name, limits),
        definedAt: { file: from, line },
      }
      return [name === 'main' ? 'default' : name, definedWorkflow(definition)] as const
    })
    return Object.fromEntries(made)
  }

  #foreignWorkflow(from: string, name: string): (input: Value) => unknown {
    const workflow = this.#foreign.get(from)?.exports[name] as Workflow<unknown, unknown> | undefined
    if (workflow === undefined) throw new AlmanacError('ALM_NO_WORKFLOW', { file: from })
    return workflow as (input: Value) => unknown
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
