import { AlmanacError } from '../../model/errors.ts'
import type { LimitRule } from '../../model/limits.ts'
import type { RemoteHost, StuckAt } from '../../ports/caller.ts'
import type { CodeSource, LoadedFile } from '../../ports/code.ts'

/** What they ask of the run. */
export interface RemoteFunctionsHost {
  readonly code: Pick<CodeSource, 'load'>
  readonly declare: (limits: readonly LimitRule[]) => void
  /** One has come to rest. */
  readonly rested: () => void
}

/** Functions of a run that live in other processes: how many go on with what they were given. */
export class RemoteFunctions implements RemoteHost {
  readonly #over: Promise<unknown>
  readonly #host: RemoteFunctionsHost
  readonly #whenCancelled: (() => void)[] = []
  readonly #whenStuck: (() => Promise<StuckAt | undefined>)[] = []
  #atWork = 0

  constructor(over: Promise<unknown>, host: RemoteFunctionsHost) {
    this.#over = over
    this.#host = host
  }

  get areAtWork(): boolean {
    return this.#atWork > 0
  }

  atWork(): () => void {
    this.#atWork++
    return () => {
      this.#atWork--
      this.#host.rested()
    }
  }

  whenCancelled(then: () => void): void {
    this.#whenCancelled.push(then)
  }

  cancelled(): void {
    for (const then of this.#whenCancelled.splice(0)) then()
  }

  whenOver(then: () => void): void {
    this.#over.then(then, then)
  }

  whenStuck(where: () => Promise<StuckAt | undefined>): void {
    this.#whenStuck.push(where)
  }

  /** The first that can be told. */
  async stuckAt(): Promise<StuckAt | undefined> {
    for (const where of this.#whenStuck) {
      const stuckAt = await where()
      if (stuckAt !== undefined) return stuckAt
    }
    return undefined
  }

  async load(file: string): Promise<LoadedFile> {
    const loaded = this.atWork()
    const cancelled = Promise.withResolvers<never>()
    this.whenCancelled(() => cancelled.reject(new AlmanacError('ALM_CANCELLED', { by: '' })))
    try {
      // what a file does when it is imported may never end
      return await Promise.race([this.#host.code.load(file), cancelled.promise])
    } finally {
      cancelled.promise.catch(() => undefined)
      loaded()
    }
  }

  declare(limits: readonly LimitRule[]): void {
    this.#host.declare(limits)
  }
}
