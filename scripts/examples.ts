import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Example } from './examples/extract.ts'
import { fromComments, fromDocstrings, fromMarkdown } from './examples/extract.ts'
import { flag } from './options/option.ts'
import { scriptOptions } from './options/script-options.ts'
import { filesBelow, productSources, root } from './source-files.ts'

/**
 * Checks and runs every example of the documents and doc comments as a user would have it: in a project of its
 * own that has the built package in `node_modules`. Blocks of one document share a directory and run in order.
 */

const { docstrings: inDocstrings } = scriptOptions({
  command: 'npm run examples --',
  does: 'Checks and runs every example of the documents and doc comments.',
  options: { docstrings: flag('those of the docstrings of Python instead') },
})
const run = promisify(execFile)
const project = realpathSync(mkdtempSync(join(tmpdir(), 'almanac-examples-')))
const limitMs = 300_000

interface Document {
  readonly folder: string
  readonly examples: readonly Example[]
}

if (!existsSync(join(root, 'dist/index.js')))
  throw new Error('the examples use the built package: npm run build')

const documents = (inDocstrings ? ofDocstrings() : [...ofComments(), ...ofMarkdown()]).filter(
  (one) => one.examples.length > 0,
)
const failures: string[] = []
let passed = 0

try {
  prepare()
  await checkTypes()
  const queue = [...documents]
  await Promise.all(Array.from({ length: availableParallelism() }, () => drain(queue)))
} finally {
  rmSync(project, { recursive: true })
}
for (const failure of failures) console.log(`✗ ${failure}\n`)
console.log(`examples: ${passed} passed, ${failures.length} failed`)
process.exitCode = failures.length === 0 ? 0 : 1

function ofComments(): Document[] {
  const examples = productSources().flatMap((path) =>
    fromComments(path, readFileSync(join(root, path), 'utf8')),
  )
  return examples.map((one) => ({ folder: `${one.source}/${one.line}`, examples: [one] }))
}

function ofDocstrings(): Document[] {
  const paths = filesBelow('python/almanac', (path) => path.endsWith('.py'))
  const examples = paths.flatMap((path) => fromDocstrings(path, readFileSync(join(root, path), 'utf8')))
  return examples.map((one) => ({ folder: `${one.source}/${one.line}`, examples: [one] }))
}

function ofMarkdown(): Document[] {
  const paths = [
    ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'].filter((path) => existsSync(join(root, path))),
    ...filesBelow('docs', (path) => path.endsWith('.md') && !/^docs\/(api|design)\//.test(path)),
    ...filesBelow('examples', (path) => path.endsWith('.md')),
  ]
  return paths.map((path) => ({
    folder: path,
    examples: fromMarkdown(path, readFileSync(join(root, path), 'utf8')),
  }))
}

function prepare(): void {
  mkdirSync(join(project, 'node_modules'))
  symlinkSync(root, join(project, 'node_modules/almanac'))
  for (const name of ['zod', '@types'])
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
  mkdirSync(join(project, 'bin'))
  writeFileSync(
    join(project, 'bin/almanac'),
    `#!/bin/sh\nexec '${process.execPath}' '${root}/bin/almanac.cjs' "$@"\n`,
    { mode: 0o755 },
  )
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', type: 'module' }))
  const compilerOptions = { types: ['node'], noEmit: true, moduleDetection: 'force' }
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['.'] }),
  )
  for (const { folder, examples } of documents) {
    // a project of its own: `data/` is beside the examples
    mkdirSync(join(project, folder), { recursive: true })
    writeFileSync(join(project, folder, 'package.json'), JSON.stringify({ type: 'module' }))
    for (const example of examples.filter((one) => one.kind !== 'shell')) {
      const path = join(project, folder, example.name)
      mkdirSync(dirname(path), { recursive: true })
      // as many empty lines before it as it has in its source, so that errors name the right one
      writeFileSync(
        path,
        example.kind === 'module' ? `${'\n'.repeat(example.line - 1)}${example.text}\n` : `${example.text}\n`,
      )
    }
  }
}

async function checkTypes(): Promise<void> {
  if (!documents.some((one) => one.examples.some((example) => example.kind === 'module'))) return
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const failed = await run(process.execPath, [tsc, '-p', project, '--pretty', 'false'], {
    cwd: project,
  }).then(
    () => '',
    (error: { readonly stdout: string }) => error.stdout,
  )
  for (const error of failed.split('\n').filter((line) => /^\S/.test(line))) failures.push(error)
}

async function drain(queue: Document[]): Promise<void> {
  for (let document = queue.shift(); document !== undefined; document = queue.shift()) {
    for (const example of document.examples)
      if (example.kind !== 'file') await execute(document.folder, example)
  }
}

async function execute(folder: string, example: Example): Promise<void> {
  const [file, args] = commandOf(example)
  const env = {
    ...process.env,
    PATH: [join(project, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    // as `python -m pip install almanac` has it
    PYTHONPATH: join(root, 'python'),
    PYTHONDONTWRITEBYTECODE: '1',
    ALMANAC_COMMAND: join(project, 'bin/almanac'),
  }
  const fault = await run(file, args, {
    cwd: join(project, folder),
    env,
    timeout: limitMs,
    maxBuffer: 64 << 20,
  }).then(
    ({ stdout }) => unexpected(example, stdout),
    (error: { readonly stdout: string; readonly stderr: string; readonly message: string }) =>
      `${error.stdout}${error.stderr}` || error.message,
  )
  if (fault === undefined) passed++
  else failures.push(`${example.source}:${example.line}\n${fault}`)
}

function commandOf({ kind, name, text }: Example): [string, string[]] {
  if (kind === 'shell') return ['bash', ['-euo', 'pipefail', '-c', text]]
  if (kind === 'module') return [process.execPath, [name]]
  if (/# prints /.test(text)) return ['python3', [name]]
  // one that waits for a person or a message rests, with 4
  if (/run\.(ask|receive|callback)\(/.test(text))
    return ['bash', ['-c', `almanac run ${name} --json || [ $? = 4 ]`]]
  return ['almanac', ['run', name, '--json']]
}

/** What a workflow gave, by the last line of its run. */
function given(stdout: string): string {
  const { output } = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as { readonly output: unknown }
  return JSON.stringify(output)
}

function unexpected(example: Example, stdout: string): string | undefined {
  const isRun = example.kind === 'python' && commandOf(example)[0] === 'almanac'
  const printed = isRun ? given(stdout) : stdout.trimEnd()
  const prints = isRun ? example.prints?.map((one) => JSON.stringify(JSON.parse(one))) : example.prints
  if (prints === undefined || printed === prints.join('\n')) return undefined
  return `it prints\n${printed}\nand says that it prints\n${prints.join('\n')}`
}
