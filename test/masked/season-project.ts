import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/open.ts'
import { Project } from '../cli/almanac.ts'

const example = fileURLToPath(new URL('../../examples/masked', import.meta.url))

/** What a run did: calls executed by task. */
export interface Reported {
  readonly executed: unknown
  readonly reused: unknown
  readonly tasks: Readonly<Record<string, number>>
}

/** A copy of the season example as a project of its own, with its Python environment. */
export class SeasonProject {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<SeasonProject> {
    await ensurePythonEnv({ requirements: join(example, 'requirements.txt') })
    const folder = await mkdtemp(join(tmpdir(), 'almanac-season-'))
    await cp(example, folder, {
      recursive: true,
      filter: (path) => !/\/(\.almanac|data|__pycache__)$/.test(path),
    })
    await writeFile(join(folder, 'package.json'), '{}')
    return new SeasonProject(folder)
  }

  async run(...args: readonly string[]): Promise<Reported> {
    const ran = await Project.at(this.folder).json('run', 'season.ts', ...args)
    if (ran['state'] !== 'succeeded') throw new Error(JSON.stringify(ran))
    return {
      executed: ran['executed'],
      reused: ran['reused'],
      tasks: await this.#executed(ran['id'] as string),
    }
  }

  /** What a run shows in its last lines. */
  async says(...args: readonly string[]): Promise<string> {
    return (await Project.at(this.folder).run('run', 'season.ts', ...args)).stdout
  }

  async edit(file: string, from: string, to: string): Promise<void> {
    const path = join(this.folder, file)
    const text = await readFile(path, 'utf8')
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold ${from} once`)
    await writeFile(path, text.replace(from, to))
  }

  /** Where outputs are shown. */
  output(name: string): string {
    return join(this.folder, 'data/main/season', name)
  }

  async remove(): Promise<void> {
    removeTree(this.folder)
  }

  async #executed(run: string): Promise<Record<string, number>> {
    const { records, close } = await openSqliteJournal(join(this.folder, '.almanac'))
    try {
      const tasks: Record<string, number> = {}
      for (const { name, call_kind, outcome } of await records.calls(run, { limit: 1000 })) {
        if ((call_kind !== 'task' && call_kind !== 'entry') || outcome?.reason !== 'executed') continue
        tasks[name] = (tasks[name] ?? 0) + 1
      }
      return tasks
    } finally {
      await close()
    }
  }
}
