import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { AlmanacError } from '../model/errors.ts'
import type { Digest } from '../model/refs.ts'
import type { CodeCache } from './code-cache.ts'
import { loadFailed, shown } from './load-error.ts'
import { sha256All } from './sha.ts'
import { checkStamps, type Stamp, stampOf } from './stamps.ts'
import type { Finding } from './warnings.ts'

/**
 * Digests of what Python functions reach, from a Python process that is given all questions of one turn of the event
 * loop; none is started where all answers are known.
 *
 * P1 an answer is kept with all files that it came from, and holds while they do.
 * P2 where a file has changed, all functions of the same task file that were ever asked for are counted again at once.
 */
export class PythonSource {
  readonly #project: string
  readonly #cache: CodeCache
  readonly #python: string
  #asked = new Map<string, Map<string, PromiseWithResolvers<PythonCount>>>()
  readonly #running = new Set<Promise<void>>()

  constructor(project: string, cache: CodeCache, python: string) {
    this.#project = project
    this.#cache = cache
    this.#python = python
  }

  /** @throws ALM_LOAD_FAILED, ALM_TASK_NOT_FOUND, ALM_PYTHON_MISSING */
  count(file: string, name: string): Promise<PythonCount> {
    if (this.#asked.size === 0) setImmediate(() => this.#answer())
    const names = this.#asked.get(file) ?? new Map<string, PromiseWithResolvers<PythonCount>>()
    this.#asked.set(file, names)
    const answer = names.get(name) ?? Promise.withResolvers<PythonCount>()
    names.set(name, answer)
    return answer.promise
  }

  async close(): Promise<void> {
    await Promise.all(this.#running)
  }

  #answer(): void {
    const asked = this.#asked
    this.#asked = new Map()
    const answered = this.#answerAll(asked).catch((error: unknown) => {
      for (const names of asked.values()) for (const { reject } of names.values()) reject(error)
    })
    this.#running.add(answered)
    void answered.then(() => this.#running.delete(answered))
  }

  async #answerAll(
    asked: ReadonlyMap<string, ReadonlyMap<string, PromiseWithResolvers<PythonCount>>>,
  ): Promise<void> {
    const now = Date.now()
    const open: { readonly file: string; readonly name: string }[] = []
    const kept = new Map<string, Kept>()
    for (const [file, names] of asked) {
      const known = this.#known(file, now)
      if (known?.holds === true) kept.set(file, known.kept)
      const held = known?.holds === true ? known.kept.functions : {}
      for (const [name, { resolve }] of names) if (held[name] !== undefined) resolve(held[name])
      const missing = [...names.keys()].filter((name) => held[name] === undefined)
      if (missing.length === 0) continue
      const again = known?.holds === false ? Object.keys(known.kept.functions) : []
      for (const name of new Set([...missing, ...again])) open.push({ file, name })
    }
    if (open.length === 0) return
    const results = await this.#run(open.map(({ file, name }) => [file, name]))
    const fresh = new Map<string, Map<string, Result>>()
    for (const [i, { file, name }] of open.entries()) {
      const result = results[i] as Result | Failed
      const answer = asked.get(file)?.get(name)
      if ('failure' in result) {
        answer?.reject(this.#failed(file, name, result.failure))
        continue
      }
      answer?.resolve(result)
      fresh.set(file, (fresh.get(file) ?? new Map<string, Result>()).set(name, result))
    }
    for (const [file, found] of fresh) this.#keep(file, kept.get(file), found, now)
  }

  #known(file: string, now: number): { readonly kept: Kept; readonly holds: boolean } | undefined {
    const kept = this.#cache.read(this.#name(file)) as Kept | undefined
    if (kept === undefined) return undefined
    const { holds, fresher } = checkStamps(kept.stamps, kept.absent, now)
    if (fresher !== undefined) this.#cache.write(this.#name(file), { ...kept, stamps: fresher })
    return { kept, holds }
  }

  #keep(file: string, before: Kept | undefined, found: ReadonlyMap<string, Result>, now: number): void {
    const stamps = new Map<string, Stamp>(before?.stamps.map((stamp) => [stamp.path, stamp]))
    const absent = new Set(before?.absent)
    const functions: Record<string, PythonCount> = { ...before?.functions }
    for (const [name, { digest, parts, warnings, findings, files, absent: missing }] of found) {
      functions[name] = { digest, parts, warnings, findings }
      for (const path of missing) absent.add(path)
      for (const [path, read] of Object.entries(files)) {
        if (stamps.get(path)?.digest === read) continue
        const stamp = stampOf(path, now, read)
        // it changed while it was looked at: the answer is of use now, and worked out again next time
        if (stamp === undefined) return
        stamps.set(path, stamp)
      }
    }
    const kept: Kept = { functions, stamps: [...stamps.values()], absent: [...absent] }
    this.#cache.write(this.#name(file), kept)
  }

  #arguments(): readonly string[] {
    const compiled = `pycache_prefix=${join(this.#cache.folder, 'compiled')}`
    return ['-I', '-S', '-X', 'utf8', '-X', compiled, '-c', program, dirname(dirname(script))]
  }

  #name(file: string): string {
    return `python-${sha256All([this.#project, file]).slice(0, 24)}.json`
  }

  #failed(file: string, name: string, failure: Failed['failure']): AlmanacError {
    const { kind, message, line = 1, column = 1 } = failure
    if (kind === 'syntax') {
      return loadFailed(this.#project, {
        file,
        why: message,
        place: { file, line, column },
        type: 'SyntaxError',
      })
    }
    const what = shown(this.#project, file)
    if (kind === 'file') return new AlmanacError('ALM_TASK_NOT_FOUND', { what, why: message })
    return new AlmanacError('ALM_TASK_NOT_FOUND', {
      what: `${what}:${name}`,
      why: 'the file has no such function',
    })
  }

  async #run(
    functions: readonly (readonly [file: string, name: string])[],
  ): Promise<readonly (Result | Failed)[]> {
    const child = spawn(this.#python, this.#arguments(), { stdio: ['pipe', 'pipe', 'pipe'] })
    // a process that dies early closes its pipe: its exit code says more
    child.stdin.on('error', () => undefined)
    child.stdin.end(JSON.stringify({ project: this.#project, functions }))
    const ended = new Promise<number | null>((resolve, reject) =>
      child.on('error', reject).on('close', resolve),
    )
    let output: readonly [string, string, number | null]
    try {
      output = await Promise.all([text(child.stdout), text(child.stderr), ended])
    } catch (error) {
      throw new AlmanacError('ALM_PYTHON_MISSING', { version: '3.10 or newer' }, { cause: error })
    }
    const [out, problems, exit] = output
    if (exit !== 0)
      throw new AlmanacError('ALM_BUG', { why: `${this.#python} ended with ${exit}: ${problems.trim()}` })
    const { results } = JSON.parse(out) as { readonly results?: readonly (Result | Failed)[] }
    if (results === undefined) throw new AlmanacError('ALM_PYTHON_MISSING', { version: '3.10 or newer' })
    return results
  }
}

const script = fileURLToPath(new URL('../../python/almanac_worker/fingerprint/__init__.py', import.meta.url))

/** As a module, so that Python keeps it compiled: in our own folder, wherever that lies. */
const program = 'import sys; sys.path.insert(0, sys.argv[1]); import fingerprint; fingerprint.run()'

export interface PythonCount {
  readonly digest: Digest
  readonly parts: Readonly<Record<string, Digest>>
  readonly warnings: readonly string[]
  readonly findings: readonly Finding[]
}

interface Result extends PythonCount {
  /** digests of what was read, by path */
  readonly files: Readonly<Record<string, Digest>>
  readonly absent: readonly string[]
}

interface Failed {
  readonly failure: {
    readonly kind: 'file' | 'syntax' | 'function'
    readonly message: string
    readonly line?: number
    readonly column?: number
  }
}

interface Kept {
  readonly functions: Readonly<Record<string, PythonCount>>
  readonly stamps: readonly Stamp[]
  readonly absent: readonly string[]
}
