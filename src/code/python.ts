import { AlmanacError, isAlmanacError } from '../model/errors.ts'
import type { Digest } from '../model/refs.ts'
import type { CodeCache } from './code-cache.ts'
import { loadFailed, shown } from './load-error.ts'
import {
  askPython,
  type PythonAnswers,
  type PythonCount,
  type PythonFailure,
  type PythonFunction,
  type PythonResult,
} from './python-process.ts'
import { sha256All } from './sha256.ts'
import { checkStamps, type Stamp, stampOf } from './stamps.ts'

/**
 * Digests of what Python functions reach, from a Python process that is given all questions of one turn of the event
 * loop; none is started where all answers are known.
 *
 * P1 an answer is kept with all files that it came from, and holds while they do.
 * P2 where a file has changed, all functions of the same task file that were ever asked for are counted again at once.
 * P3 a question that is being answered is not asked again.
 */
export class PythonSource {
  readonly #project: string
  readonly #cache: CodeCache
  readonly #python: () => Promise<string>
  #asked = new Map<string, Question>()
  readonly #answering = new Map<string, Question>()
  readonly #running = new Set<Promise<void>>()
  /** by file, what was last found out or found to hold */
  readonly #last = new Map<string, Kept>()

  constructor(project: string, cache: CodeCache, python: () => Promise<string>) {
    this.#project = project
    this.#cache = cache
    this.#python = python
  }

  /**
   * The interpreter is the one that will run the function; it is asked where ours is too old for the file's syntax.
   * @throws ALM_LOAD_FAILED, ALM_TASK_NOT_FOUND, ALM_PYTHON_MISSING
   */
  count(file: string, name: string, interpreter: string | undefined): Promise<PythonCount> {
    const key = JSON.stringify([file, name])
    const earlier = this.#answering.get(key) ?? this.#asked.get(key)
    if (earlier !== undefined) return earlier.promise
    if (this.#asked.size === 0) setImmediate(() => this.#answer())
    const question = { file, name, interpreter, ...Promise.withResolvers<PythonCount>() }
    // before whoever asked learns of it: what is asked next may be about files that have changed since
    const answered = (): unknown => this.#answering.delete(key)
    question.promise.then(answered, answered)
    this.#asked.set(key, question)
    return question.promise
  }

  /** The answer, if it is kept and holds. */
  known(file: string, name: string): PythonCount | undefined {
    const known = this.#known(file, Date.now())
    if (known?.holds !== true) return undefined
    return known.kept.functions.find(([one]) => one === name)?.[1]
  }

  /** Was the function counted so, and has no file that counts been touched since? */
  isStill(file: string, name: string, digest: Digest): boolean {
    const last = this.#last.get(file)
    if (last?.functions.some(([known, count]) => known === name && count.digest === digest) !== true)
      return false
    const { holds, fresher } = checkStamps(last.stamps, last.absent, Date.now())
    if (fresher !== undefined) this.#last.set(file, { ...last, stamps: fresher })
    return holds
  }

  async close(): Promise<void> {
    await Promise.all(this.#running)
  }

  #answer(): void {
    const asked = [...this.#asked.values()]
    for (const [key, question] of this.#asked) this.#answering.set(key, question)
    this.#asked = new Map()
    const answered = this.#answerAll(asked).catch((error: unknown) => {
      for (const { reject } of asked) reject(error)
    })
    this.#running.add(answered)
    void answered.then(() => this.#running.delete(answered))
  }

  async #answerAll(asked: readonly Question[]): Promise<void> {
    const now = Date.now()
    const open: (PythonFunction & Partial<Question>)[] = []
    const held = new Map<string, Kept>()
    for (const [file, questions] of Map.groupBy(asked, (one) => one.file)) {
      const known = this.#known(file, now)
      if (known?.holds === true) held.set(file, known.kept)
      const functions = new Map(known?.holds === true ? known.kept.functions : [])
      const missing = questions.filter(({ name, resolve }) => {
        const count = functions.get(name)
        if (count !== undefined) resolve(count)
        return count === undefined
      })
      open.push(...missing)
      if (missing.length === 0 || known?.holds !== false) continue
      const names = new Set(missing.map(({ name }) => name))
      for (const [name] of known.kept.functions) if (!names.has(name)) open.push({ file, name })
    }
    if (open.length === 0) return
    const answers = await this.#ask(open)
    const results = open.map((question, i) => ({ question, answer: answers[i] as PythonAnswers[number] }))
    for (const [file, some] of Map.groupBy(results, ({ question }) => question.file)) {
      const good = some.flatMap(({ question: { name }, answer }) =>
        'failure' in answer ? [] : [[name, answer] as const],
      )
      if (good.length > 0) this.#keep(file, held.get(file), new Map(good), now)
    }
    for (const { question, answer } of results) {
      if ('failure' in answer) question.reject?.(this.#failed(question, answer.failure))
      else question.resolve?.(answer)
    }
  }

  async #ask(open: readonly (PythonFunction & Partial<Question>)[]): Promise<PythonAnswers> {
    const { folder } = this.#cache
    const ours = await this.#python()
    const answers = [...(await askPython(ours, folder, this.#project, open))]
    const again = open.flatMap(({ file, name, interpreter = ours }, i) => {
      const answer = answers[i]
      const newer = answer !== undefined && 'failure' in answer && answer.failure.kind === 'syntax'
      return newer && interpreter !== ours ? [{ file, name, interpreter, i }] : []
    })
    for (const [interpreter, some] of Map.groupBy(again, (one) => one.interpreter)) {
      const others = await askPython(interpreter, folder, this.#project, some).catch((error: unknown) => {
        // it may only come to be when the environment is made: what ours has to say stands
        if (isAlmanacError(error) && error.code === 'ALM_PYTHON_MISSING') return []
        throw error
      })
      for (const [j, answer] of others.entries()) answers[some[j]?.i ?? -1] = answer
    }
    return answers
  }

  #known(file: string, now: number): { readonly kept: Kept; readonly holds: boolean } | undefined {
    const kept = this.#cache.read(this.#name(file)) as Kept | undefined
    if (kept === undefined) return undefined
    const { holds, fresher } = checkStamps(kept.stamps, kept.absent, now)
    if (fresher !== undefined) this.#cache.write(this.#name(file), { ...kept, stamps: fresher })
    if (holds) this.#last.set(file, { ...kept, stamps: fresher ?? kept.stamps })
    else this.#last.delete(file)
    return { kept, holds }
  }

  #keep(file: string, before: Kept | undefined, found: ReadonlyMap<string, PythonResult>, now: number): void {
    const stamps = new Map<string, Stamp>(before?.stamps.map((stamp) => [stamp.path, stamp]))
    const absent = new Set(before?.absent)
    const functions = new Map<string, PythonCount>(before?.functions)
    for (const [name, { digest, parts, warnings, findings, files, absent: missing }] of found) {
      functions.set(name, { digest, parts, warnings, findings })
      for (const path of missing) absent.add(path)
      for (const [path, read] of Object.entries(files)) {
        if (stamps.get(path)?.digest === read) continue
        const stamp = stampOf(path, now, read)
        // it changed while it was looked at: the answer is of use now, and worked out again next time
        if (stamp === undefined) return
        stamps.set(path, stamp)
      }
    }
    const kept: Kept = { functions: [...functions], stamps: [...stamps.values()], absent: [...absent] }
    this.#last.set(file, kept)
    this.#cache.write(this.#name(file), kept)
  }

  #name(file: string): string {
    return `python-${sha256All([this.#project, file, environment]).slice(0, 24)}.json`
  }

  #failed({ file, name }: PythonFunction, failure: PythonFailure['failure']): AlmanacError {
    const { kind, message, line = 1, column = 1 } = failure
    if (kind === 'syntax') {
      const place = { file, line, column }
      return loadFailed(this.#project, { file, why: message, place, type: 'SyntaxError' })
    }
    const what = shown(this.#project, file)
    if (kind === 'file') return new AlmanacError('ALM_TASK_NOT_FOUND', { what, why: message })
    return new AlmanacError('ALM_TASK_NOT_FOUND', {
      what: `${what}:${name}`,
      why: 'the file has no such function',
    })
  }
}

/** Where packages are installed, as far as that is told without asking the interpreter: links to code may be among them. */
const environment = ['ALMANAC_PYTHON', 'VIRTUAL_ENV', 'CONDA_PREFIX']
  .map((name) => process.env[name] ?? '')
  .join('\n')

interface Question extends PythonFunction, PromiseWithResolvers<PythonCount> {
  readonly interpreter: string | undefined
}

interface Kept {
  /** by name */
  readonly functions: readonly (readonly [name: string, count: PythonCount])[]
  readonly stamps: readonly Stamp[]
  readonly absent: readonly string[]
}
