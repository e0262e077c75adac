import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pureFolders } from '../entries.ts'

/**
 * The promise rules are young, and an update could lose them in silence: each is shown bugs that it must find,
 * and the same code without them. A line that must be found ends in `// found`, and nothing else may be.
 */

const root = join(import.meta.dirname, '../..')
let tree: string

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'almanac-lint-'))
  for (const name of ['biome.json', 'scripts/lint', 'package.json', 'tsconfig.json', 'tsconfig.base.json']) {
    cpSync(join(root, name), join(tree, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  writeFileSync(join(tree, '.gitignore'), 'node_modules\n')
  execFileSync('git', ['init', '--quiet'], { cwd: tree })
})

afterAll(() => rmSync(tree, { recursive: true }))

interface Report {
  readonly diagnostics: readonly {
    readonly category: string
    readonly location: { readonly path: string; readonly start: { readonly line: number } }
  }[]
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(tree, dirname(path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
}

/** What the linter finds in the whole tree. */
function lint(): Report {
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', '.']
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/biome'), args, { cwd: tree, encoding: 'utf8' })
  return JSON.parse(stdout) as Report
}

/** Lines of a file that a rule (`plugin`: ours) finds fault with. */
function found(report: Report, path: string, rule: string): string[] {
  const lines = files[path]?.split('\n') ?? []
  const hits = report.diagnostics.filter(
    (one) => one.location.path === path && one.category.split('/').at(-1) === rule,
  )
  const numbers = new Set(hits.map((one) => one.location.start.line))
  return [...numbers].sort((a, b) => a - b).map((line) => lines[line - 1] ?? '')
}

const marked = (path: string): string[] =>
  (files[path] ?? '').split('\n').filter((line) => line.endsWith('// found'))

const files: Readonly<Record<string, string>> = {
  'src/engine/store.ts': `
    export const save = async (n: number): Promise<number> => n
    export interface Store { put(n: number): Promise<void>; readonly closed: Promise<void> }
    export interface Future<T> extends PromiseLike<T> { readonly name: string }
    export type State = { kind: 'ready' } | { kind: 'parked' } | { kind: 'done' }
  `,
  'src/engine/floating.ts': `
    import { save } from './store.ts'
    import type { Future, Store } from './store.ts'
    const local = async (): Promise<number> => 1
    export class Owner {
      readonly #store: Store
      constructor(store: Store) { this.#store = store }
      async close(): Promise<void> {}
      stop(): void {
        this.#store.put(1) // found
        this.close() // found
      }
      async right(): Promise<void> {
        await this.#store.put(1)
        void this.close()
      }
    }
    export function wrong(store: Store, bag: { store: Store }, call: () => Future<number>, numbers: number[]): void {
      local() // found
      save(1) // found
      store.put(1) // found
      bag.store.put(1) // found
      call() // found
      Promise.all([local(), save(2)]) // found
      local().then((n) => n + 1) // found
      numbers.map(async (n) => save(n)) // found
      local().finally(() => 1) // found
    }
    export async function right(store: Store, numbers: number[]): Promise<void> {
      await store.put(await local())
      await Promise.all(numbers.map(async (n) => save(n)))
      store.put(1).catch(() => 1)
    }
  `,
  'src/engine/misused.ts': `
    import { save } from './store.ts'
    const ready = async (): Promise<boolean> => true
    export async function wrong(numbers: number[]): Promise<number> {
      numbers.forEach(async (n) => { await save(n) }) // found
      if (ready()) return 1 // found
      return 2
    }
    export async function right(numbers: number[]): Promise<number> {
      for (const n of numbers) await save(n)
      return (await ready()) ? 1 : 2
    }
  `,
  'src/engine/cases.ts': `
    import type { State } from './store.ts'
    export function wrong(state: State): number {
      switch (state.kind) { // found
        case 'ready': return 1
        case 'parked': return 2
      }
      return 3
    }
    export function right(state: State): number {
      switch (state.kind) {
        case 'ready': return 1
        case 'parked': return 2
        case 'done': return 3
      }
    }
  `,
  'src/core/pure.ts': `
    export const a = Date.now() // found
    export const b = new Date() // found
    export const c = Date() // found
    export const d = [1].map(Math.random) // found
    const { now } = Date // found
    export const e = (x: string, y: string): number => x.localeCompare(y) // found
    export const f = (at: Date): number => at.getHours() // found
    export const g = now
    export const right = (at: number, x: unknown): boolean => x instanceof Date && new Date(at).getUTCHours() === Math.abs(1)
  `,
  'src/core/globals.ts': `
    export const a = globalThis.Date.now() // found
    export const b = new Intl.DateTimeFormat() // found
    export const c = Promise.resolve(1) // found
    export const right = (ms: number): string => new Date(ms).toISOString()
  `,
  'src/core/io.ts': `
    import { readFileSync } from 'node:fs' // found
    export const a = readFileSync
  `,
  'src/engine/throws.ts': `
    import { AlmanacError } from '../model/errors.ts'
    export const wrong = (n: number): never => {
      if (n > 1) throw new TypeError('no number') // found
      throw new Error(String(n)) // found
    }
    export const right = (error: unknown): never => {
      if (error instanceof Error) throw error
      throw new AlmanacError('ALM_BUG', { why: 'nothing' }, { cause: error })
    }
  `,
  'src/engine/clock.ts': `
    export const now = (): number => Date.now()
  `,
  'src/engine/waits.test.ts': `
    import { setTimeout as sleep } from 'node:timers/promises'
    import { vi } from 'vitest'
    vi.mock('./store.ts') // found
    await new Promise((resolve) => setTimeout(resolve, 50)) // found
    await new Promise<void>((resolve) => { setTimeout(resolve, 50) }) // found
    await new Promise<void>((_, reject) => { setTimeout(() => reject(new Error('late')), 50) })
    await sleep(1)
  `,
  'src/engine/timers.test.ts': `
    import { setTimeout as sleep } from 'node:timers/promises' // found
    await sleep(1)
  `,
}

describe('the linter finds', () => {
  let report: Report

  beforeAll(() => {
    write(files)
    report = lint()
  })

  test.each([
    ['promises that nobody waits for', 'src/engine/floating.ts', 'noFloatingPromises'],
    ['promises where a value is meant', 'src/engine/misused.ts', 'noMisusedPromises'],
    ['a case that a switch forgets', 'src/engine/cases.ts', 'useExhaustiveSwitchCases'],
    ['clock, chance, language and place in a pure folder', 'src/core/pure.ts', 'plugin'],
    [
      'globals that a pure folder must not name, and promises in the core',
      'src/core/globals.ts',
      'noRestrictedGlobals',
    ],
    ['I/O in a pure folder', 'src/core/io.ts', 'noNodejsModules'],
    ['errors that are not of the catalogue', 'src/engine/throws.ts', 'plugin'],
    ['sleeps and mocks in tests', 'src/engine/waits.test.ts', 'plugin'],
    ['timers as promises in tests', 'src/engine/timers.test.ts', 'noRestrictedImports'],
    ['nothing against a clock elsewhere', 'src/engine/clock.ts', 'plugin'],
  ])('%s', (_, path, rule) => {
    expect(found(report, path, rule)).toEqual(marked(path))
  })

  test('at least fourteen promise and case bugs are among them', () => {
    const bugs = ['floating', 'misused', 'cases'].flatMap((name) => marked(`src/engine/${name}.ts`))
    expect(bugs).toHaveLength(14)
  })
})

test('every pure folder is held to the rules', () => {
  const text = `export const a = Date.now() // found\n`
  write(Object.fromEntries(pureFolders.map((folder) => [`src/${folder}/seeded.ts`, text])))
  const seeded = lint()
    .diagnostics.map((one) => one.location.path)
    .filter((path) => path.endsWith('/seeded.ts'))
  expect(seeded.sort()).toEqual(pureFolders.map((folder) => `src/${folder}/seeded.ts`).sort())
})
