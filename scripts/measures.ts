import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { catalogue } from '../src/model/errors.ts'
import { pureFolders } from './entries.ts'
import { largeFiles } from './large-files.ts'
import { filesBelow, isTest, productSources, root } from './source-files.ts'

/** What is counted at every change, so that it does not creep. A line that breaks a limit ends in its breach. */

const softLimit = 400
const medianLimit = 150
/** shows the linter sleeps that it must find */
const seeded = 'scripts/lint/lint.test.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const lines = (path: string): number => read(path).split('\n').length - 1

interface Measure {
  readonly name: string
  readonly value: string
  readonly breaches: readonly string[]
}

const sources = productSources()
const tests = ['src', 'test', 'scripts', 'examples'].flatMap((folder) => filesBelow(folder, isTest))
const pythonTests = ['python', 'examples'].flatMap((folder) =>
  filesBelow(folder, (path) => /(^|\/)test_[^/]+\.py$/.test(path)),
)
const python = ['python', 'examples'].flatMap((folder) =>
  filesBelow(folder, (path) => path.endsWith('.py') && !pythonTests.includes(path)),
)

const measures: readonly Measure[] = [
  {
    name: 'sources',
    value: `${sources.length} files, ${total(sources)} lines; tests ${tests.length} files, ${total(tests)} lines`,
    breaches: [],
  },
  sizes('TypeScript', sources),
  sizes('Python', python),
  comments(),
  occurrences(
    'sleeps in tests',
    tests.filter((path) => path !== seeded),
    sleep,
  ),
  occurrences('sleeps in Python tests', pythonTests, /^\s*time\.sleep\(/),
  occurrences('clock and chance in pure folders', pure(), /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/),
  unusedCodes(),
]

for (const { name, value, breaches } of measures) {
  console.log(`${name.padEnd(34)}${value}`)
  for (const breach of breaches) console.log(`  ✗ ${breach}`)
}
process.exitCode = measures.some((one) => one.breaches.length > 0) ? 1 : 0

function total(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + lines(path), 0)
}

function sizes(language: string, paths: readonly string[]): Measure {
  const sorted = paths.map(lines).sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  // a contract suite is a test that is shipped
  const large = paths.filter((path) => lines(path) > softLimit && !path.endsWith('-contract.ts'))
  return {
    name: `lines a file, ${language}`,
    value: `median ${at(0.5)}, p90 ${at(0.9)}, most ${at(1)}`,
    breaches: [
      ...(language === 'TypeScript' && at(0.5) > medianLimit ? [`the median is over ${medianLimit}`] : []),
      ...large
        .filter((path) => largeFiles[path] === undefined)
        .map(
          (path) =>
            `${path} has ${lines(path)} lines: split it, or say in scripts/large-files.ts why it is one thing`,
        ),
      ...Object.keys(largeFiles)
        .filter((path) => path.endsWith(language === 'Python' ? '.py' : '.ts') && !large.includes(path))
        .map((path) => `scripts/large-files.ts names ${path}, which is not large`),
    ],
  }
}

function comments(): Measure {
  const isComment = (line: string): boolean => /^\s*(\/\/|\/?\*)/.test(line)
  const all = sources.flatMap((path) => read(path).split('\n'))
  const share = all.length === 0 ? 0 : (100 * all.filter(isComment).length) / all.length
  return { name: 'comment lines', value: `${share.toFixed(0)} %`, breaches: [] }
}

/** Of the virtual clock and of programs that are to be killed it is no matter: only waiting for time to pass is. */
function sleep(text: string): boolean {
  // said to a program under a debugger, whose time passes while a person looks at it
  if (/^\s*expression: /.test(text)) return false
  return /\bawait (sleep|delay)\(|setTimeout\((resolve|done|ok|r)\b|timers\/promises|Atomics\.wait\(/.test(
    text,
  )
}

function occurrences(
  name: string,
  paths: readonly string[],
  what: RegExp | ((line: string) => boolean),
): Measure {
  const matches = what instanceof RegExp ? (line: string) => what.test(line) : what
  const found = paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, i) => (matches(line) ? [`${path}:${i + 1} ${line.trim()}`] : [])),
  )
  return { name, value: String(found.length), breaches: found }
}

function pure(): string[] {
  return sources.filter((path) => pureFolders.some((folder) => path.startsWith(`src/${folder}/`)))
}

function unusedCodes(): Measure {
  const texts = [...sources.filter((path) => path !== 'src/model/errors.ts'), ...python, 'bin/almanac.cjs']
    .map(read)
    .join('\n')
  const unused = Object.keys(catalogue).filter((code) => !new RegExp(`['"]${code}['"]`).test(texts))
  return {
    name: 'errors of the catalogue',
    value: String(Object.keys(catalogue).length),
    breaches: unused.map((code) => `${code} is raised nowhere`),
  }
}
