import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inStore } from '../files/failures.ts'
import { isDigest } from '../files/home.ts'
import { namesIn, textIn } from '../files/missing-files.ts'
import { isGone, type ProcessIdentity, thisProcess } from '../processes/process-identity.ts'

/**
 * Results that were recorded and may not be in the shared store yet, by their fingerprints: a file a process,
 * `unsent/<name>.txt`, whose first line says which process. Owns that of this one.
 *
 * N1 a result is noted before it is sent; the file goes when all of its results have been.
 * N2 what a process left that is gone is sent by the next one.
 */
export class PendingUploads {
  readonly #folder: string
  readonly #file: string
  #isThere = false

  constructor(home: string) {
    this.#folder = join(home, 'unsent')
    this.#file = join(this.#folder, `${crypto.randomUUID()}.txt`)
  }

  note(fingerprint: string): void {
    inStore(this.#file, () => {
      if (!this.#isThere) {
        mkdirSync(this.#folder, { recursive: true })
        writeFileSync(this.#file, `${JSON.stringify(thisProcess())}\n`)
      }
      this.#isThere = true
      appendFileSync(this.#file, `${fingerprint}\n`)
    })
  }

  /** All has been sent but these; they are left to the next process. */
  done(failed: ReadonlySet<string>): void {
    if (!this.#isThere) return
    inStore(this.#file, () => {
      const lines = [JSON.stringify(nobody), ...failed].map((line) => `${line}\n`)
      if (failed.size === 0) rmSync(this.#file, { force: true })
      else writeFileSync(this.#file, lines.join(''))
    })
    this.#isThere = failed.size > 0
  }

  /** Takes over what processes left that are gone. */
  *left(): Generator<string> {
    for (const name of inStore(this.#folder, () => namesIn(this.#folder))) {
      const path = join(this.#folder, name)
      const [head = '', ...lines] = inStore(path, () => textIn(path)).split('\n')
      if (path === this.#file || !isLeft(head)) continue
      const digests = lines.filter(isDigest)
      // noted by this process before the other's note goes
      for (const digest of digests) this.note(digest)
      inStore(path, () => rmSync(path, { force: true }))
      yield* digests
    }
  }
}

/** It has ended in order, and some was not sent. */
const nobody: ProcessIdentity = { pid: 0, start: '', bootId: '', pidNamespace: '' }

function isLeft(head: string): boolean {
  try {
    const identity = JSON.parse(head) as ProcessIdentity
    return identity.pid === 0 || isGone(identity)
  } catch {
    // cut off: its process may be writing it, or is gone with nothing noted
    return false
  }
}
