import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { filesBelow, root } from '../source-files.ts'

/** One part of a check: a program that says by its exit code whether all is well. */
export interface Step {
  readonly name: string
  readonly command: readonly [program: string, ...args: string[]]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** steps that must have succeeded before it */
  readonly after?: readonly string[]
  /** waits until only such are left: nothing of the quick ones is known late because of it */
  readonly last?: boolean
  /** gets the processors' time that nobody else has use for */
  readonly patient?: boolean
  /** where it leaves vitest's report, or how its output counts tests; a step without counts as one */
  readonly counts?: 'vitest' | 'unittest' | 'passed-failed'
}

const node = (script: string, ...args: string[]): Step['command'] => [
  process.execPath,
  join(root, script),
  ...args,
]
const tool = (name: string, ...args: string[]): Step['command'] => [
  join(root, 'node_modules/.bin', name),
  ...args,
]

/** `{report}` is where the runner looks for vitest's report. */
const vitest = (...args: string[]): Step['command'] =>
  tool(
    'vitest',
    'run',
    '--reporter=dot',
    `--reporter=${join(root, 'scripts/lost-forks.ts')}`,
    '--reporter=json',
    '--outputFile.json={report}',
    ...args,
  )

/** `npm run check`: under a minute on two cores. Long ones first. */
export const checkSteps: readonly Step[] = [
  { name: 'build', command: node('scripts/build.ts') },
  {
    name: 'unit',
    command: vitest('--project', 'unit', '--project', 'unit-shared', '--maxWorkers=100%'),
    counts: 'vitest',
  },
  { name: 'types', command: tool('tsc', '-p', '.') },
  { name: 'types-pure', command: tool('tsc', '-p', 'tsconfig.pure.json') },
  { name: 'api', command: node('scripts/api-report.ts', '--check') },
  { name: 'python-api', command: ['python3', join(root, 'scripts/python_api.py'), '--check'] },
  { name: 'boundaries', command: node('scripts/boundaries.ts') },
  { name: 'dead-code', command: tool('knip', '--no-progress') },
  { name: 'format', command: tool('biome', 'format', '.') },
  { name: 'lint', command: tool('biome', 'lint', '--error-on-warnings', '.') },
  { name: 'errors', command: node('scripts/error-docs.ts', '--check') },
  { name: 'options', command: node('scripts/options-docs.ts', '--check') },
  { name: 'measures', command: node('scripts/measures.ts') },
  { name: 'repository', command: node('scripts/repository.ts') },
  { name: 'examples', command: node('scripts/examples.ts'), after: ['build'], counts: 'passed-failed' },
]

const python: Step = {
  name: 'python',
  command: ['python3', '-m', 'unittest', 'discover', '-s', 'tests', '-p', 'test_*.py'],
  cwd: join(root, 'python'),
  env: { PYTHONPATH: join(root, 'python'), PYTHONDONTWRITEBYTECODE: '1' },
  counts: 'unittest',
}

const hasPythonTests = filesBelow('python/tests', (path) => /\/test_[^/]+\.py$/.test(path)).length > 0

/** What `npm test` adds. */
export const testSteps: readonly Step[] = [
  {
    name: 'docstrings',
    command: node('scripts/examples.ts', '--docstrings'),
    after: ['build'],
    counts: 'passed-failed',
  },
  { name: 'python-types', command: node('scripts/python-types.ts') },
  ...(hasPythonTests ? [python] : []),
  // the oldest and the newest: what lies between them took a minute more and has found nothing that these did not
  {
    name: 'python-versions',
    command: node('scripts/python-versions.ts', '--ends'),
    after: ['build'],
    counts: 'passed-failed',
  },
  {
    name: 'e2e',
    command: vitest('--project', 'e2e', `--maxWorkers=${Math.ceil(1.5 * availableParallelism())}`),
    after: ['build'],
    last: true,
    counts: 'vitest',
  },
  // it takes two minutes of all processors, and the tests from outside leave about as much of them unused
  {
    name: 'simulation',
    command: node('scripts/simulate.ts', '--seeds', '10000'),
    after: ['unit'],
    last: true,
    patient: true,
  },
]
