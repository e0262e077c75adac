import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/open.ts'
import { Project } from '../cli/almanac.ts'

const example = fileURLToPath(new URL('../../examples/forecast', import.meta.url))
const centre = fileURLToPath(new URL('./centre.py', import.meta.url))

/** What a run did: calls executed by task, and the plain figures of its output. */
export interface Ingested {
  readonly state: unknown
  readonly executed: unknown
  readonly reused: unknown
  readonly tasks: Readonly<Record<string, number>>
  readonly figures: Readonly<Record<'files' | 'quarantined' | 'times', number>> | null
  readonly error: { readonly message?: string } | null
}

/** What the reader of results finds in a dataset. */
export interface Dataset {
  readonly times: readonly string[]
  readonly shape: readonly number[]
  readonly mean: number
}

/** A copy of the forecast example as a project of its own, with its Python environment. */
export class ForecastProject {
  readonly #root: string
  readonly #python: string
  #folder: string

  private constructor(root: string, python: string) {
    this.#root = root
    this.#python = python
    this.#folder = join(root, 'forecast')
  }

  static async make(): Promise<ForecastProject> {
    const root = await mkdtemp(join(tmpdir(), 'almanac-forecast-'))
    const { python } = await ensurePythonEnv({ requirements: join(example, 'requirements.txt') })
    const project = new ForecastProject(root, python)
    await cp(example, project.folder, {
      recursive: true,
      filter: (path) => !/\/(\.almanac|data|__pycache__)$/.test(path),
    })
    await writeFile(join(project.folder, 'package.json'), '{}')
    return project
  }

  get folder(): string {
    return this.#folder
  }

  /** A path beside the project. */
  beside(name: string): string {
    return join(this.#root, name)
  }

  /** Where outputs are shown. */
  output(name: string): string {
    return join(this.#folder, 'data/main/forecast', name)
  }

  async move(name: string): Promise<void> {
    await rename(this.#folder, this.beside(name))
    this.#folder = this.beside(name)
  }

  async edit(file: string, from: string, to: string): Promise<void> {
    const path = join(this.#folder, file)
    const text = await readFile(path, 'utf8')
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold ${from} once`)
    await writeFile(path, text.replace(from, to))
  }

  ingest(...args: readonly string[]): Promise<Ingested> {
    return this.run('ingest.ts', ...args)
  }

  async run(workflow: string, ...args: readonly string[]): Promise<Ingested> {
    const ran = await Project.at(this.#folder).json('run', workflow, ...args)
    const output = ran['output'] as Record<'files' | 'quarantined' | 'times', number> | null
    return {
      state: ran['state'],
      executed: ran['executed'],
      reused: ran['reused'],
      tasks: await this.#executed(ran['id'] as string),
      figures: output && { files: output.files, quarantined: output.quarantined, times: output.times },
      error: ran['error'] as Ingested['error'],
    }
  }

  async #executed(run: string): Promise<Record<string, number>> {
    const { records, close } = await openSqliteJournal(join(this.#folder, '.almanac'))
    try {
      const tasks: Record<string, number> = {}
      const calls = await records.calls(run, { limit: 1000 })
      for (const { name, call_kind, outcome } of calls) {
        if ((call_kind !== 'task' && call_kind !== 'entry') || outcome?.reason !== 'executed') continue
        tasks[name] = (tasks[name] ?? 0) + 1
      }
      return tasks
    } finally {
      await close()
    }
  }

  /** Rows of the catalogue that was made last. */
  catalogue(query: string): unknown[] {
    const database = new DatabaseSync(this.output('catalogue.sqlite'), { readOnly: true })
    try {
      return database
        .prepare(query)
        .all()
        .map((row) => ({ ...row }))
    } finally {
      database.close()
    }
  }

  /** The reason of each quarantined file. */
  quarantined(): Record<string, string> {
    const rows = this.catalogue('SELECT path, quarantined FROM file WHERE quarantined IS NOT NULL')
    return Object.fromEntries(
      (rows as { readonly path: string; readonly quarantined: string }[]).map((row) => [
        row.path,
        row.quarantined,
      ]),
    )
  }

  /** A command of centre.py. */
  async centre(...args: readonly string[]): Promise<string> {
    return (await promisify(execFile)(this.#python, [centre, ...args], { cwd: this.#folder })).stdout
  }

  async read(kind: 'references' | 'store', ...paths: readonly string[]): Promise<Dataset> {
    return JSON.parse(await this.centre(kind, ...paths)) as Dataset
  }

  /** The example's own tests, in its environment. */
  async unittest(): Promise<string> {
    const args = ['-W', 'ignore', '-m', 'unittest', 'test_steps']
    return (await promisify(execFile)(this.#python, args, { cwd: this.#folder })).stderr
  }

  async list(name: string): Promise<string[]> {
    return (await readdir(this.output(name))).sort()
  }

  async remove(): Promise<void> {
    removeTree(this.#root)
  }
}
