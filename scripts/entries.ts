/** What the package is entered through: the one list that build, API report, dead code and boundary checks read. */

export interface Entry {
  /** `dist/<name>.js` */
  readonly name: string
  readonly source: string
  /** how users import it; absent for what is only started */
  readonly specifier?: string
}

export const entries: readonly Entry[] = [
  { name: 'index', source: 'src/index.ts', specifier: 'almanac' },
  { name: 'testing', source: 'src/testing/index.ts', specifier: 'almanac/testing' },
  { name: 'cli', source: 'src/cli/bin.ts' },
]

/** Folders without clock, chance, I/O and Node types; `tsconfig.pure.json` and `biome.json` name the same (tested). */
export const pureFolders: readonly string[] = ['util', 'model', 'core', 'ports', 'flow']
