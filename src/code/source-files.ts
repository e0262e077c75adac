import { readFileSync } from 'node:fs'
import type { Digest } from '../model/refs.ts'
import { type ModuleCode, moduleCode } from './module-code.ts'
import { sha256 } from './sha256.ts'
import type { Parser } from './syntax.ts'

/** The author's files, each read once: what is run, what counts and what is stamped are of the same bytes. */
export class SourceFiles {
  readonly #parser: Parser
  readonly #bytes = new Map<string, { readonly bytes: Uint8Array; readonly digest: Digest }>()
  readonly #code = new Map<string, ModuleCode>()

  constructor(parser: Parser) {
    this.#parser = parser
  }

  bytes(path: string): Uint8Array {
    return this.#read(path).bytes
  }

  digest(path: string): Digest {
    return this.#read(path).digest
  }

  code(path: string): ModuleCode {
    const known = this.#code.get(path)
    if (known !== undefined) return known
    const code = moduleCode(this.#parser, path, new TextDecoder().decode(this.bytes(path)))
    this.#code.set(path, code)
    return code
  }

  #read(path: string): { readonly bytes: Uint8Array; readonly digest: Digest } {
    const known = this.#bytes.get(path)
    if (known !== undefined) return known
    const bytes = readFileSync(path)
    const read = { bytes, digest: sha256(bytes) }
    this.#bytes.set(path, read)
    return read
  }
}
