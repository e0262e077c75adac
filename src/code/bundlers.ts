type ToRun = typeof import('esbuild')
type ToCount = typeof import('esbuild-fingerprint')

/** The bundlers, each loaded when it is first needed; each has a process of its own, which `stop` ends. */
export class Bundlers {
  #toRun: Promise<ToRun> | undefined
  #toCount: Promise<ToCount> | undefined

  /** for what is run */
  toRun(): Promise<ToRun> {
    this.#toRun ??= import('esbuild')
    return this.#toRun
  }

  /** for what counts: pinned apart, since another version may write the same code in another way */
  toCount(): Promise<ToCount> {
    this.#toCount ??= import('esbuild-fingerprint')
    return this.#toCount
  }

  async stop(): Promise<void> {
    // one that could not be loaded has told so to whom it concerned
    const loaded = await Promise.allSettled([this.#toRun, this.#toCount])
    for (const one of loaded) if (one.status === 'fulfilled') await one.value?.stop()
  }
}
