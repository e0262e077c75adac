import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { freemem, totalmem } from 'node:os'
import type { Reporter, TestModule } from 'vitest/node'

/**
 * A reporter that says of a process of tests which ends before it is told to what it ended of, and with which files:
 * vitest says no more than that one did. Owns the files under way.
 */
export default class LostForks implements Reporter {
  readonly #underWay = new Set<string>()

  onInit(): void {
    subscribe('child_process', (message) => {
      const { process: child } = message as { readonly process: ChildProcess }
      child.once('exit', (code, signal) => {
        const isFork = child.spawnargs.some((argument) => argument.endsWith('/workers/forks.js'))
        // `killed`: vitest has ended it
        if (!isFork || child.killed) return
        const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
        const free = `${(freemem() / 2 ** 30).toFixed(1)} of ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory free`
        const files = [...this.#underWay].join(', ')
        process.stderr.write(`\nprocess ${child.pid} of tests ${how}, ${free}, one of: ${files}\n`)
      })
    })
  }

  onTestModuleQueued({ relativeModuleId }: TestModule): void {
    this.#underWay.add(relativeModuleId)
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    this.#underWay.delete(relativeModuleId)
  }
}
