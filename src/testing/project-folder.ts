import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AlmanacError } from '../model/errors.ts'
import type { TaskSpec } from '../model/task.ts'
import { taskSpec } from './task-spec.ts'

/** A project of an author's on disk, for tests of what becomes of its code. */
export class ProjectFolder {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'almanac-code-')))

  path(name: string): string {
    return join(this.root, name)
  }

  /** Adds or replaces files; null removes one. */
  write(files: Readonly<Record<string, string | null>>): this {
    for (const [name, text] of Object.entries(files)) {
      const path = this.path(name)
      if (text === null) rmSync(path, { recursive: true })
      else {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, text)
      }
    }
    return this
  }

  /** The task that a file defines under a name: `export const NAME = task(…)`, or `default`. */
  task(file: string, name: string, more: Partial<TaskSpec> = {}): TaskSpec {
    const path = this.path(file)
    const lines = readFileSync(path, 'utf8').split('\n')
    const pattern = name === 'default' ? /export default / : new RegExp(`\\bconst ${name}\\s*=`)
    const line = lines.findIndex((text) => pattern.test(text))
    if (line < 0) throw new AlmanacError('ALM_USAGE', { why: `${file} has no ${name}` })
    const after = pattern.exec(lines[line] as string)
    const column = (lines[line] as string).indexOf('task', (after?.index ?? 0) + (after?.[0].length ?? 0))
    const at = { file: path, line: line + 1, ...(column >= 0 && { column: column + 1 }) }
    return { ...taskSpec(name, { kind: 'function', name }), definedAt: at, ...more }
  }

  python(file: string, name: string, more: Partial<TaskSpec> = {}): TaskSpec {
    return {
      ...taskSpec(name, { kind: 'python', file: this.path(file), function: name, threads: 1 }),
      ...more,
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** A module that stands for `almanac`: its definitions know their name and where they stand. */
export const almanacStub = `const place = () => {
  for (const frame of new Error().stack.split('\\n').slice(1)) {
    const [, file, line, column] = /(?:file:\\/\\/)?(\\/[^()]*?):(\\d+):(\\d+)\\)?$/.exec(frame) ?? []
    if (file !== undefined && !file.endsWith('/almanac-stub.js')) return { file, line: +line, column: +column }
  }
}
const define = (kind) => (name, ...rest) => ({ kind, name, definedAt: place(), fn: rest.at(-1), options: () => define(kind)(name) })
export const task = define('task')
export const workflow = define('workflow')
export const python = { task: define('python') }
`

/** Files of an installed package. */
export function installed(
  name: string,
  version: string,
  dependencies: readonly string[] = [],
): Record<string, string> {
  const folder = `node_modules/${name}`
  const manifest = {
    name,
    version,
    type: 'module',
    exports: './index.js',
    dependencies: Object.fromEntries(dependencies.map((one) => [one, '*'])),
  }
  return {
    [`${folder}/package.json`]: JSON.stringify(manifest),
    [`${folder}/index.js`]: `export const version = '${version}'\nexport const parse = (x) => x\nexport const z = { object: (x) => x, string: () => 's' }\n`,
  }
}
