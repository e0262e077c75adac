import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import type { TaskSpec } from '../model/task.ts'
import type { CodeSource } from '../ports/code.ts'
import { almanacStub, ProjectFolder } from '../testing/project-folder.ts'
import { taskSpec } from '../testing/task-spec.ts'
import { openCodeSource } from './source.ts'

const project = new ProjectFolder().write({
  'main.ts':
    "import { task } from 'almanac'\nimport { half } from './half.ts'\nexport const index = task('index', (x: number) => half(x))\n",
  'half.ts': 'export const half = (x: number): number => x / 2\n',
  'steps.py': 'def qc(x):\n    return x + 1\n',
  'package.json': '{ "type": "module" }',
})
const home = new ProjectFolder()
const stub = new ProjectFolder().write({ 'almanac.js': almanacStub, 'package.json': '{ "type": "module" }' })
const almanacUrl = pathToFileURL(stub.path('almanac.js'))
const sources: CodeSource[] = []

/** As another process would open it. */
function opened(): CodeSource {
  const source = openCodeSource({ home: home.root, project: project.root, almanacUrl })
  sources.push(source)
  return source
}

afterAll(async () => {
  for (const source of sources) await source.close()
  for (const folder of [project, home, stub]) folder.remove()
})

const taskIn = (file: string): TaskSpec =>
  file.endsWith('.py')
    ? taskSpec('qc', { kind: 'python', file: project.path(file), function: 'qc', threads: 1 })
    : {
        ...taskSpec('index', { kind: 'function', name: 'index' }),
        definedAt: { file: project.path(file), line: 3, column: 22 },
      }

test.each([
  ['main.ts', 'half.ts', 'export const half = (x: number): number => x / 3\n'],
  ['steps.py', 'steps.py', 'def qc(x):\n    return x + 2\n'],
])(
  'what was counted of %s is known without waiting, until a file of it changes',
  async (file, other, edit) => {
    const task = taskIn(file)
    expect(opened().known(task)).toBeUndefined()
    const counted = await opened().fingerprint(task)
    expect(opened().known(task)).toEqual(counted)
    project.write({ [other]: edit })
    const source = opened()
    expect(source.known(task)).toBeUndefined()
    const again = await source.fingerprint(task)
    expect(again.digest).not.toBe(counted.digest)
    expect(opened().known(task)).toEqual(again)
  },
)

test('code that was loaded counts as it was loaded, and a version by itself', async () => {
  const source = opened()
  await source.load('main.ts')
  const task = taskIn('main.ts')
  const known = source.known(task)
  project.write({ 'half.ts': 'export const half = (x: number): number => x / 4\n' })
  expect(known).toEqual(await source.fingerprint(task))
  expect(source.known({ ...task, version: '2' })).toEqual(await source.fingerprint({ ...task, version: '2' }))
})
