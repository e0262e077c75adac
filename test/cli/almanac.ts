import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

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

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.folder, name), text)
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }

  /** Runs a command to its end. */
  run(...args: string[]): Promise<Ran> {
    return this.start(...args).ended
  }

  /** Starts a command; the test may kill it. */
  start(...args: string[]) {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: this.folder,
      env: { ...process.env, NO_COLOR: '1', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    const seen: { readonly pattern: RegExp; readonly found: () => void }[] = []
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString()
      for (const { pattern, found } of seen) if (pattern.test(stdout)) found()
    })
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString()
    })
    const ended = new Promise<Ran>((resolve) => {
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
    return {
      child,
      ended,
      /** Resolves when standard output holds it, or the command has ended. */
      saw: (pattern: RegExp): Promise<unknown> =>
        Promise.race([
          ended,
          new Promise<void>((found) => (pattern.test(stdout) ? found() : seen.push({ pattern, found }))),
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
