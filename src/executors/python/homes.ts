import type { PythonEnvSpec } from '../../model/task.ts'
import { ensurePythonEnv } from './environment.ts'
import type { EnvironmentOptions } from './environment-options.ts'
import { findPython } from './interpreter.ts'

/** An interpreter, and whether it is of an environment of our own making. */
export interface PythonHome {
  readonly python: string
  readonly isolated: boolean
}

const tryAgainMs = 10_000

/** The interpreters of environments. Owns which are known and which are being made. */
export class PythonHomes {
  readonly #options: EnvironmentOptions
  readonly #homes = new Map<string, Promise<PythonHome> | PythonHome>()
  /** the one that was known when it was asked for last: most attempts ask for the same */
  #last: { readonly spec: PythonEnvSpec | undefined; readonly home: PythonHome } | undefined

  constructor(options: EnvironmentOptions) {
    this.#options = options
  }

  /** A promise only while it is not known. */
  of(spec: PythonEnvSpec | undefined): Promise<PythonHome> | PythonHome {
    if (this.#last !== undefined && this.#last.spec === spec) return this.#last.home
    const name = JSON.stringify(spec ?? null)
    const known = this.#homes.get(name)
    if (known === undefined) return this.#make(name, spec)
    if (!(known instanceof Promise)) this.#last = { spec, home: known }
    return known
  }

  #make(name: string, spec: PythonEnvSpec | undefined): Promise<PythonHome> {
    const found =
      spec === undefined ? findPython(undefined, this.#options) : ensurePythonEnv(spec, this.#options)
    const made = found.then(({ python }): PythonHome => ({ python, isolated: spec !== undefined }))
    this.#homes.set(name, made)
    made.then(
      (home) => this.#homes.set(name, home),
      // the requirements or the network may be better later: it is tried again, but not for each of many attempts
      () => setTimeout(() => this.#homes.delete(name), tryAgainMs).unref(),
    )
    return made
  }
}
