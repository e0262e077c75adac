/**
 * What each folder of `src` may import: the table of ARCHITECTURE.md as a tool reads it (a test compares them). A folder
 * may always import itself; tests, which stand beside their sources, may import `testing` too.
 */

export interface Folder {
  readonly name: string
  /** folders, a folder's folder, or files directly below `src` */
  readonly mayImport: readonly string[]
  /** packages from npm that only this and other folders that name them may import; a pure folder imports no others */
  readonly packages?: readonly string[]
  /** its subfolders are adapters that know nothing of each other, but for these, which they share */
  readonly apartBut?: readonly string[]
}

/** Subfolders that stand in layers: each imports from those after it only; several in one know nothing of each other. */
export const layers: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
  core: [['run', 'identity', 'tree']],
  engine: [
    'attempts',
    ['maps', 'documents', 'datasets', 'messages', 'triggers'],
    'host',
    'identity',
    'notes',
    'calls',
  ],
  'journal/sqlite': ['salvage', 'calls', 'tables', 'packs', 'database'],
  data: [
    'shared',
    'garbage',
    'downloads',
    'pool',
    'staging',
    'scan',
    'blobs',
    'jobs',
    'processes',
    's3',
    'files',
  ],
  cli: ['commands', 'follow', 'text', 'runs', 'input', 'output'],
  testing: ['simulation', 'contracts', 'executors', 'memory'],
}

const base = ['model', 'util']
const adapter = ['ports', ...base]
const engine = ['flow', 'core', ...adapter]
/** What is behind the ports, each knowing nothing of the others. */
export const adapters = ['journal', 'code', 'python-workflows', 'executors', 'data', 'system']
const all = ['engine', ...adapters, ...engine]

export const folders: readonly Folder[] = [
  { name: 'util', mayImport: [] },
  { name: 'model', mayImport: ['util'], packages: ['@standard-schema/spec'] },
  // what paths a glob means is a question of text alone
  { name: 'core', mayImport: base, packages: ['picomatch'] },
  { name: 'ports', mayImport: base },
  { name: 'flow', mayImport: ['core', ...adapter], packages: ['@standard-schema/spec', 'zod'] },
  { name: 'engine', mayImport: engine },
  { name: 'journal', mayImport: adapter, apartBut: [] },
  { name: 'code', mayImport: adapter, packages: ['esbuild'] },
  // where workflow functions in Python live: what they ask is what authors in TypeScript use
  { name: 'python-workflows', mayImport: engine, packages: ['zod'] },
  { name: 'executors', mayImport: adapter, apartBut: ['functions', 'jobs', 'programs'] },
  { name: 'data', mayImport: ['core', ...adapter] },
  // the platform behind the small ports: clock, chance, ambient run, hash
  { name: 'system', mayImport: adapter },
  // the journal in memory is the fake of its port
  {
    name: 'testing',
    mayImport: ['engine', ...engine, 'journal/memory', 'system'],
    packages: ['vitest', 'fast-check'],
  },
  // what `open` gives, as types: for main.ts to make, for open.ts and cli to use
  { name: 'almanac.ts', mayImport: ['engine', ...engine] },
  // the same with all that it is made of, for commands
  { name: 'workbench.ts', mayImport: ['almanac.ts', 'engine', ...engine] },
  // which directory a command is about
  { name: 'project.ts', mayImport: [] },
  { name: 'repair.ts', mayImport: ['project.ts', ...engine, 'journal'] },
  // what main.ts is put together from: adapters of one kind a file, and what an open Almanac does with them
  { name: 'wiring', mayImport: ['almanac.ts', 'workbench.ts', ...all], packages: ['zod'] },
  { name: 'main.ts', mayImport: ['wiring', 'workbench.ts', 'project.ts', ...all], packages: ['zod'] },
  {
    name: 'cli',
    mayImport: ['main.ts', 'repair.ts', 'workbench.ts', 'almanac.ts', ...base],
    packages: ['commander', 'picocolors', 'zod'],
  },
  // main.ts only when it is called
  { name: 'open.ts', mayImport: ['main.ts', 'almanac.ts', 'model'] },
  { name: 'index.ts', mayImport: ['open.ts', 'almanac.ts', 'engine', 'flow', 'model'], packages: ['zod'] },
]

/** A folder or a file below `python`, and what it may import besides itself, within functions too. */
export interface PythonFolder {
  readonly name: string
  readonly mayImport: readonly string[]
  /** a file above that it may name in types, and never when it runs */
  readonly typesOf?: string
}

const worker = 'almanac_worker/shared'
const execution = ['almanac_worker/held', 'almanac_worker/output', 'almanac_worker/sources.py', worker]
const errors = 'almanac/errors.py'
const version = 'almanac/version.py'
const types = ['almanac/_model', errors]
const pythonFlow = ['almanac/_types', ...types]

export const pythonFolders: readonly PythonFolder[] = [
  { name: 'almanac_task.py', mayImport: [] },
  { name: worker, mayImport: [] },
  { name: 'almanac_worker/fingerprint', mayImport: [worker] },
  { name: 'almanac_worker/sources.py', mayImport: [worker] },
  { name: 'almanac_worker/output', mayImport: [worker] },
  { name: 'almanac_worker/held', mayImport: [worker] },
  { name: 'almanac_worker/tasks', mayImport: execution },
  { name: 'almanac_worker/attempts', mayImport: ['almanac_worker/tasks', worker] },
  {
    name: 'almanac_worker',
    mayImport: ['almanac_worker/attempts', 'almanac_worker/tasks', ...execution, 'almanac_task.py'],
  },
  // authors look at what a run that failed has left: it is a `Run`
  { name: errors, mayImport: [], typesOf: 'almanac/_runs/ended_run.py' },
  { name: version, mayImport: [] },
  { name: 'almanac/location.py', mayImport: [errors, version] },
  { name: 'almanac/__main__.py', mayImport: ['almanac/location.py'] },
  { name: 'almanac/_model', mayImport: [errors, worker] },
  { name: 'almanac/_types', mayImport: types },
  { name: 'almanac/_flow', mayImport: [...pythonFlow, worker] },
  { name: 'almanac/_notebook', mayImport: types },
  {
    name: 'almanac/_runs',
    mayImport: ['almanac/_flow', 'almanac/_notebook', 'almanac/location.py', version, ...pythonFlow],
  },
  { name: 'almanac/_host', mayImport: ['almanac/_flow', ...pythonFlow, version, worker, 'almanac_task.py'] },
  { name: 'almanac/__init__.py', mayImport: ['almanac/_runs', 'almanac/_flow', ...types] },
  // for pip, and for workers' environments: no part of the packages
  { name: 'build_below.py', mayImport: [] },
  { name: 'build_env.py', mayImport: [] },
]
