import { type FSWatcher, utimesSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A file that is touched when somebody should ask again for what others hold. It carries nothing, and whoever misses
 * it asks now and then anyway.
 */
export class LimitSignal {
  readonly #path: string
  readonly #listeners = new Set<() => void>()
  #watcher: FSWatcher | undefined

  constructor(home: string) {
    this.#path = join(home, 'limits')
  }

  send(): void {
    try {
      const now = new Date()
      try {
        utimesSync(this.#path, now, now)
      } catch {
        writeFileSync(this.#path, '')
      }
    } catch {
      // a disk that takes nothing: the others ask again by themselves
    }
  }

  watch(changed: () => void): () => void {
    this.#listeners.add(changed)
    this.#open()
    return () => {
      this.#listeners.delete(changed)
      if (this.#listeners.size === 0) this.#close()
    }
  }

  #open(): void {
    if (this.#watcher !== undefined) return
    try {
      writeFileSync(this.#path, '', { flag: 'a' })
      this.#watcher = watch(this.#path, { persistent: false }, () => {
        for (const changed of [...this.#listeners]) changed()
      })
      // no more watches to be had, or the file is gone: whoever waits asks now and then
      this.#watcher.on('error', () => this.#close())
    } catch {
      this.#watcher = undefined
    }
  }

  #close(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}
