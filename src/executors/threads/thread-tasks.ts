import { AlmanacError } from '../../model/errors.ts'
import { definedAt } from './defined-at.ts'

/** A task that a module has defined in this thread. */
export interface Defined {
  readonly name: string
  /** where, with the callers of the place */
  readonly at: readonly string[]
  readonly fn: TaskFunction
}

export type TaskFunction = (...args: unknown[]) => unknown

/**
 * The functions of tasks in this thread. Owns the definitions that its modules have made, and what was loaded.
 *
 * F1 a module is loaded once
 */
export class ThreadTasks {
  readonly #defined = new Map<string, Defined[]>()
  readonly #loaded = new Map<string, Promise<unknown>>()

  add(defined: Defined): void {
    const known = this.#defined.get(defined.name)
    if (known === undefined) this.#defined.set(defined.name, [defined])
    else known.push(defined)
  }

  /**
   * Loads the module that defines the task, or, where a function of another one does it for a module, that one.
   * @throws ALM_THREAD_TASK
   */
  async find(name: string, at: readonly string[]): Promise<TaskFunction> {
    for (const place of at) {
      await this.#load(name, place)
      const found = this.#best(name, at)
      if (found.length > 1) {
        const why =
          'several tasks of this name are defined at one place, which are told apart by what they close over'
        throw new AlmanacError('ALM_THREAD_TASK', { task: name, why })
      }
      if (found[0] !== undefined) return found[0].fn
    }
    const where =
      at.length === 0 ? 'it was not defined in a module' : `${shown(at[0])} defines none when it is loaded`
    throw new AlmanacError('ALM_THREAD_TASK', { task: name, why: where })
  }

  /** Definitions of the name in the same module, with most of the callers the same. */
  #best(name: string, at: readonly string[]): readonly Defined[] {
    let best: Defined[] = []
    let most = -1
    for (const one of this.#defined.get(name) ?? []) {
      if (one.at[0] === undefined || moduleOf(one.at[0]) !== moduleOf(at[0] as string)) continue
      let same = 0
      while (same < at.length && one.at[same] === at[same]) same++
      if (same < most) continue
      if (same > most) best = []
      most = same
      best.push(one)
    }
    return best
  }

  async #load(name: string, place: string): Promise<void> {
    const module = moduleOf(place)
    let loading = this.#loaded.get(module)
    if (loading === undefined) {
      loading = import(/* @vite-ignore */ module)
      this.#loaded.set(module, loading)
    }
    try {
      await loading
    } catch (error) {
      const why = `${shown(place)} could not be loaded in a thread: ${error instanceof Error ? error.message : String(error)}`
      throw new AlmanacError('ALM_THREAD_TASK', { task: name, why }, { cause: error })
    }
  }
}

/** `file:///a/b.mjs:12:3` without line and column. */
const moduleOf = (place: string): string => place.replace(/:\d+:\d+$/, '')

/** The author's own file. */
const shown = (place: string | undefined): string =>
  definedAt(place)?.file ?? decodeURI(moduleOf(place ?? ''))
