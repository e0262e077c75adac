import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, watch } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeTree } from '../../src/data/files/remove-tree.ts'

const bin = fileURLToPath(new URL('../../bin/almanac.cjs', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A project in a directory of its own, and the built command run in it as a user would. */
export class Project {
  readonly folder: string
  readonly #env: Readonly<Record<string, string>>
  /** Those that a test which fails leaves running end with it. */
  readonly #running = new Set<ChildProcess>()

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder
    this.#env = env
  }

  static async make(
    files: Readonly<Record<string, string>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'almanac-cli-')), env)
    await project.write({ 'package.json': '{}', ...files })
    return project
  }

  /** A project that is there. */
  static at(folder: string, env: Readonly<Record<string, string>> = {}): Project {
    return new Project(folder, env)
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.folder, name), text)
  }

  async remove(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL')
    removeTree(this.folder)
  }

  /** Resolves when a file is there. */
  there(name: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!existsSync(join(this.folder, name))) return
        watcher.close()
        resolve()
      }
      const watcher = watch(this.folder, look)
      look()
    })
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ran> {
    return this.start(...args).ended
  }

  /** Runs a command to its end, with a text on its standard input. */
  runWith(input: string, ...args: string[]): Promise<Ran> {
    const { child, ended } = this.#spawn(process.execPath, [bin, ...args])
    child.stdin.end(input)
    return ended
  }

  /** Starts a command; the test may kill it. */
  start(...args: string[]) {
    return this.#started(process.execPath, [bin, ...args])
  }

  /** Starts a command with flags for Node itself. */
  startWith(flags: readonly string[], ...args: string[]) {
    return this.#started(process.execPath, [...flags, bin, ...args])
  }

  /** Starts a command on a terminal of its own, so many columns wide; what it shows is its standard output. */
  onTerminal(columns: number, ...args: string[]) {
    const program = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'
    const command = [
      'sh',
      '-c',
      `stty cols ${columns} rows 24; exec "$@"`,
      'sh',
      process.execPath,
      bin,
      ...args,
    ]
    return this.#spawn('python3', ['-c', program, ...command])
  }

  #started(program: string, args: readonly string[]) {
    const started = this.#spawn(program, args)
    started.child.stdin.end()
    return started
  }

  #spawn(program: string, args: readonly string[]) {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { ...process.env, NO_COLOR: '1', ...this.#env },
    })
    this.#running.add(child)
    child.on('close', () => this.#running.delete(child))
    // one that has ended reads no more
    child.stdin.on('error', () => undefined)
    let stdout = ''
    let stderr = ''
    const seen: { readonly pattern: RegExp; readonly found: () => void }[] = []
    const look = (): void => {
      for (const { pattern, found } of seen) if (pattern.test(stdout + stderr)) found()
    }
    // a letter of several bytes may come in two pieces
    child.stdout.setEncoding('utf8').on('data', (data: string) => {
      stdout += data
      look()
    })
    child.stderr.setEncoding('utf8').on('data', (data: string) => {
      stderr += data
      look()
    })
    const ended = new Promise<Ran>((resolve) => {
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
    return {
      child,
      ended,
      /** All that it has said. */
      said: (): string => stdout + stderr,
      /** Resolves when what it said holds it, or the command has ended. */
      saw: (pattern: RegExp): Promise<unknown> =>
        Promise.race([
          ended,
          new Promise<void>((found) =>
            pattern.test(stdout + stderr) ? found() : seen.push({ pattern, found }),
          ),
        ]),
    }
  }

  /** The last object that a command prints with `--json`. */
  async json(...args: string[]): Promise<Record<string, unknown>> {
    const { stdout, stderr } = await this.run(...args, '--json')
    const last = stdout.trim().split('\n').at(-1)
    if (last === undefined || last === '') throw new Error(`nothing was printed: ${stderr}`)
    return JSON.parse(last) as Record<string, unknown>
  }
}
