import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { declare, surface } from './surface.ts'

let tree: string

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'almanac-surface-'))
  mkdirSync(join(tree, 'src'))
  mkdirSync(join(tree, 'out'))
  writeFileSync(join(tree, 'package.json'), JSON.stringify({ name: 'almanac', type: 'module' }))
})

afterEach(() => rmSync(tree, { recursive: true }))

test('what is exported without a comment, and what is reached but not exported, is named', () => {
  writeFileSync(
    join(tree, 'src/index.ts'),
    "export { shown, twice, Kept } from './kept.ts'\nexport type { Options } from './kept.ts'\n",
  )
  writeFileSync(
    join(tree, 'src/kept.ts'),
    `export interface Hidden { readonly a: number }
     /** What one may say. */
     export interface Options { readonly name: string }
     export const shown = (options: Options): Hidden => ({ a: options.name.length })
     /** Twice as much. */
     export function twice(n: number): number
     export function twice(n: string): string
     export function twice(n: number | string): number | string { return n }
     /** Keeps a number. @throws nothing at all, {not} even > this */
     export class Kept { readonly #n = 1; get(): number { return this.#n } }
    `,
  )
  declare(tree, ['src/index.ts'], join(tree, 'out'))
  const { report, ...rest } = surface(tree, 'index', 'src/index.ts', join(tree, 'out'))
  expect(rest).toEqual({
    exported: ['Kept', 'Options', 'shown', 'twice'],
    undocumented: ['shown'],
    forgotten: ['Hidden'],
  })
  expect(report).toContain('export const shown: (options: Options) => Hidden;')
})
