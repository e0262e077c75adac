import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { testSettings } from '../../src/executors/container/rig.ts'
import type { Value } from '../../src/model/value.ts'

/** What the driver of workflows is asked. */
export type Asked =
  | {
      readonly do: 'run'
      readonly file: string
      readonly named?: string
      readonly input?: object
      /** inputs that are directories */
      readonly dirs?: Readonly<Record<string, string>>
      readonly resume?: string
    }
  | { readonly do: 'answer'; readonly run: string; readonly value: Value }
  | { readonly do: 'messages' | 'triggered' | 'open'; readonly run: string }
  | { readonly do: 'send'; readonly run: string; readonly name: string; readonly value: Value }
  | { readonly do: 'cancel' | 'recorded' | 'waits' | 'runs'; readonly file: string }

/** How a run went, from its start or resumption to its end. */
export interface Life {
  readonly run: string
  readonly state: string
  readonly output: Value
  readonly error?: {
    readonly code: string
    readonly type: string | undefined
    readonly message: string
    readonly stack: string | undefined
  }
  readonly executed: number
  readonly reused: number
  /** calls that have ended: `main/double task double` */
  readonly calls: readonly { readonly at: string; readonly how: string; readonly attempt: number }[]
  /** tasks that succeeded in this life, in order of their calls */
  readonly fresh: readonly string[]
  /** events, metrics, artifacts and progress */
  readonly notes: readonly string[]
}

/** The same program in the languages that workflows are written in. */
export interface Program {
  readonly ts: string
  readonly py: string
}

export type Language = keyof Program

/** What runs containers here, if anything does. */
const containers: Readonly<Record<string, string>> =
  testSettings.why === undefined
    ? {
        ALMANAC_CONTAINER_PROGRAM: testSettings.program.join(' '),
        ALMANAC_CONTAINER_ARGS: testSettings.args.join(' '),
      }
    : {}

const driver = fileURLToPath(new URL('driver.ts', import.meta.url))

const toPlain = `import ast, sys
class Plain(ast.NodeTransformer):
    def visit_AsyncFunctionDef(self, node):
        return ast.FunctionDef(**vars(self.generic_visit(node)))
    def visit_Await(self, node):
        return ast.Call(ast.Attribute(self.generic_visit(node).value, "result", ast.Load()), [], [])
print(ast.unparse(ast.fix_missing_locations(Plain().visit(ast.parse(sys.stdin.read())))))`

const plainText = (text: string): string =>
  execFileSync('python3', ['-c', toPlain], { input: text, encoding: 'utf8' })

/** A project, and a process that runs its workflows. Owns both. */
export class WorkflowRig {
  readonly folder = mkdtempSync(join(tmpdir(), 'almanac-hosts-'))
  readonly #style: 'async' | 'plain'
  #process: ChildProcess | undefined
  #number = 0
  readonly #asked = new Map<number, (answer: { value?: unknown; error?: string }) => void>()
  readonly #said: string[] = []

  /** `plain`: functions in Python ask futures for their results, where they are written to await them. */
  constructor(style: 'async' | 'plain' = 'async') {
    this.#style = style
    writeFileSync(join(this.folder, 'package.json'), '{}')
  }

  write(name: string, text: string): string {
    const file = join(this.folder, name)
    writeFileSync(file, this.#style === 'plain' && name.endsWith('.py') ? plainText(text) : text)
    return file
  }

  /** What it printed, for failures that nobody expects. */
  get said(): string {
    return this.#said.join('\n')
  }

  ask<T>(asked: Asked): Promise<T> {
    this.#process ??= this.#start()
    const number = ++this.#number
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#asked.set(number, ({ value, error }) =>
      error === undefined ? resolve(value as T) : reject(new Error(error)),
    )
    this.#process.stdin?.write(`${JSON.stringify({ number, ...asked })}\n`)
    return promise
  }

  run(file: string, more: Omit<Extract<Asked, { do: 'run' }>, 'do' | 'file'> = {}): Promise<Life> {
    return this.ask({ do: 'run', file, ...more })
  }

  /** As by `kill -9`; the next question starts another. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await gone
  }

  async close(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #start(): ChildProcess {
    const child = spawn(process.execPath, [driver, this.folder], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...containers },
    })
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        if (!line.startsWith('@')) return void this.#said.push(line)
        const { number, ...answer } = JSON.parse(line.slice(1)) as { number: number }
        this.#asked.get(number)?.(answer)
        this.#asked.delete(number)
      })
    child.on('close', (code, signal) => {
      for (const settle of this.#asked.values())
        settle({ error: `the process ended (${code ?? signal}): ${this.said}` })
      this.#asked.clear()
    })
    return child
  }
}
