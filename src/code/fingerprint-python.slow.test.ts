import { spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdirSync, symlinkSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TaskSpec } from '../model/task.ts'
import { openCodeStage } from '../testing/code-stage.ts'
import { arbitraryEdits, reached, type Sketch } from '../testing/sketch.ts'
import { openCodeSource } from './source.ts'

/** What counts in Python is tested in `python/tests/test_fingerprint.py`; here, how it is asked and remembered. */

const stage = openCodeStage(openCodeSource)

const noPython = 'no-such-python'

const steps = `import os
from helpers import half

def index(x):
    return half(x)

def other(x):
    return os.environ['REGION'] + x
`
const helpers = 'def half(x):\n    return x / 2\n'

test('a function counts with what it reaches, by name', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers })
  const { parts, warnings, digest } = await stage
    .opened()
    .fingerprint(stage.project.python('steps.py', 'index'))
  expect(Object.keys(parts)).toEqual(['helpers.py:half', 'steps.py:index'])
  expect(warnings).toEqual([])
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
})

test('no Python is started where nothing has changed', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers })
  const task = stage.project.python('steps.py', 'index')
  const first = await stage.opened().fingerprint(task)
  expect(await stage.opened({ python: async () => noPython }).fingerprint(task)).toEqual(first)
})

test('a file that is reached, changed or new, is looked at again', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers })
  const task = stage.project.python('steps.py', 'index')
  const source = stage.opened()
  const { digest } = await source.fingerprint(task)
  stage.project.write({ 'helpers.py': helpers.replace('2', '3') })
  expect((await source.fingerprint(task)).digest).not.toBe(digest)
  stage.project.write({ 'helpers.py': helpers })
  expect((await source.fingerprint(task)).digest).toBe(digest)
  stage.project.write({ 'helpers/__init__.py': helpers.replace('2', '4') })
  expect((await source.fingerprint(task)).digest).not.toBe(digest)
})

test('after an edit all functions of the file that were asked for before are counted at once', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers })
  const [index, other] = [
    stage.project.python('steps.py', 'index'),
    stage.project.python('steps.py', 'other'),
  ]
  const source = stage.opened()
  await Promise.all([source.fingerprint(index), source.fingerprint(other)])
  stage.project.write({ 'steps.py': `${steps}\nADDED = 1\n` })
  await stage.opened().fingerprint(index)
  await expect(stage.opened({ python: async () => noPython }).fingerprint(other)).resolves.toMatchObject({
    digest: expect.any(String),
  })
})

test('an environment variable that is declared is not warned of', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers })
  const source = stage.opened()
  const undeclared = await source.fingerprint(stage.project.python('steps.py', 'other'))
  expect(undeclared.warnings).toEqual([
    'steps.py:8 reads REGION, which does not count: name it in the option variables',
  ])
  const declared = await source.fingerprint(stage.project.python('steps.py', 'other', { env: ['REGION'] }))
  expect(declared.warnings).toEqual([])
})

test('a version stands for the code', async () => {
  const source = stage.opened({ python: async () => noPython })
  const [one, same, two] = await Promise.all(
    ['1', '1', '2'].map((version) =>
      source.fingerprint(stage.project.python('steps.py', 'index', { version })),
    ),
  )
  expect(one).toEqual(same)
  expect(one?.digest).not.toBe(two?.digest)
})

test('a file that is no Python is an error with its line; others asked at once are answered', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers, 'broken.py': 'x = 1\ndef index(:\n' })
  const source = stage.opened()
  const [broken, good] = await Promise.allSettled([
    source.fingerprint(stage.project.python('broken.py', 'index')),
    source.fingerprint(stage.project.python('steps.py', 'index')),
  ])
  expect(broken).toMatchObject({
    status: 'rejected',
    reason: {
      code: 'ALM_LOAD_FAILED',
      message: 'broken.py could not be loaded: broken.py:2:11: invalid syntax',
      record: { file: stage.project.path('broken.py'), line: 2, type: 'SyntaxError' },
    },
  })
  expect(good.status).toBe('fulfilled')
})

test('a function that is not there, and a file that is not there, are named', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers })
  const source = stage.opened()
  await expect(source.fingerprint(stage.project.python('steps.py', 'indx'))).rejects.toMatchObject({
    code: 'ALM_TASK_NOT_FOUND',
    message: 'steps.py:indx was not found: the file has no such function',
  })
  await expect(source.fingerprint(stage.project.python('none.py', 'index'))).rejects.toMatchObject({
    code: 'ALM_TASK_NOT_FOUND',
    message: 'none.py was not found: No such file or directory',
  })
})

test('without a Python the error says so', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers })
  await expect(
    stage.opened({ python: async () => noPython }).fingerprint(stage.project.python('steps.py', 'index')),
  ).rejects.toMatchObject({
    code: 'ALM_PYTHON_MISSING',
  })
})

test.each([
  ['answers otherwise', 'echo Python 2.7.18', 'it answered "Python 2.7.18\\n".'],
  ['fails', 'echo Killed >&2; exit 3', 'it ended with exit code 3: Killed.'],
])('a Python that %s is named, and the error is not ours', async (_, script, why) => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers, python3: `#!/bin/sh\n${script}\n` })
  const python = stage.project.path('python3')
  chmodSync(python, 0o755)
  await expect(
    stage.opened({ python: async () => python }).fingerprint(stage.project.python('steps.py', 'index')),
  ).rejects.toMatchObject({
    code: 'ALM_PYTHON_BROKEN',
    message: `${python} does not work: ${why}`,
  })
})

test('compiled files that a full disk has cut off are made again', async () => {
  stage.project.write({ 'steps.py': steps, 'helpers.py': helpers })
  const before = await stage.opened().fingerprint(stage.project.python('steps.py', 'index'))
  const compiled = globSync(`${stage.home.root}/code/compiled/**/*.pyc`)
  expect(compiled.length).toBeGreaterThan(3)
  for (const file of compiled) truncateSync(file, 100)
  stage.project.write({ 'steps.py': `${steps}\n` })
  expect(await stage.opened().fingerprint(stage.project.python('steps.py', 'index'))).toEqual(before)
})

test('a name that every object has is a name like any other', async () => {
  stage.project.write({ 'steps.py': 'def constructor():\n    pass\n\ndef toString():\n    return 1\n' })
  const source = stage.opened()
  const tasks = ['constructor', 'toString'].map((name) => stage.project.python('steps.py', name))
  const first = [
    await source.fingerprint(tasks[0] as TaskSpec),
    await source.fingerprint(tasks[1] as TaskSpec),
  ]
  expect(first.map(({ parts }) => Object.keys(parts))).toEqual([
    ['steps.py:constructor'],
    ['steps.py:toString'],
  ])
})

test('a package that the environment links to counts, until it is no longer linked to', async () => {
  const asked = spawnSync('python3', ['-c', 'import sys; print(sys.executable, sys.version_info[1])'])
  const [executable = '', minor] = String(asked.stdout).trim().split(' ')
  const links = `env/lib/python3.${minor}/site-packages/mine.pth`
  stage.project.write({
    'steps.py': 'import mine\n\ndef index(x):\n    return mine.half(x)\n',
    'env/pyvenv.cfg': `home = ${dirname(executable)}\n`,
    [links]: `${stage.home.path('elsewhere')}\n`,
  })
  stage.home.write({ 'elsewhere/mine.py': helpers })
  mkdirSync(stage.project.path('env/bin'))
  const python = stage.project.path('env/bin/python3')
  symlinkSync(executable, python)
  const task = stage.project.python('steps.py', 'index')
  const count = () => stage.opened({ python: async () => python }).fingerprint(task)
  const [first, again] = [await count(), await count()]
  stage.home.write({ 'elsewhere/mine.py': helpers.replace('2', '3') })
  const edited = await count()
  stage.project.write({ [links]: '' })
  const unlinked = await count()
  expect(again.digest).toBe(first.digest)
  expect(edited.digest).not.toBe(first.digest)
  expect(Object.keys(first.parts)).toEqual([stage.home.path('elsewhere/mine.py:half'), 'steps.py:index'])
  expect(Object.keys(unlinked.parts)).toEqual(['import:mine', 'steps.py:index'])
})

test("where our Python is too old for a file's syntax, the task's own is asked", async () => {
  stage.project.write({
    'steps.py': 'def index(:\n    pass\n',
    'newer-python':
      '#!/bin/sh\ncat >/dev/null\necho \'{"results":[{"digest":"newer","parts":{},"warnings":[],"findings":[],"files":{},"absent":[]}]}\'\n',
  })
  chmodSync(stage.project.path('newer-python'), 0o755)
  const env = (python: string): Partial<TaskSpec> => {
    const { body } = stage.project.python('steps.py', 'index')
    return {
      body: {
        ...body,
        env: { requirements: stage.project.path('requirements.txt'), python },
      } as TaskSpec['body'],
    }
  }
  const newer = stage.project.python('steps.py', 'index', env(stage.project.path('newer-python')))
  expect((await stage.opened().fingerprint(newer)).digest).toBe('newer')
  const missing = stage.project.python('broken.py', 'index', env(noPython))
  stage.project.write({ 'broken.py': 'def index(:\n    pass\n' })
  await expect(
    stage.opened().fingerprint({
      ...missing,
      body: { ...missing.body, file: stage.project.path('broken.py') } as TaskSpec['body'],
    }),
  ).rejects.toMatchObject({ code: 'ALM_LOAD_FAILED' })
})

function rendered({ functions, tasks, style }: Sketch): Readonly<Record<string, string>> {
  const other = style === 'other'
  const [comment, docstring, indent, gap] = other
    ? ['# said of it\n', '"""Said."""', '  ', '\n\n\n']
    : ['', '', '    ', '\n']
  const moduleOf = (i: number): string => functions[i]?.module ?? 'm0'
  const used = (i: number, from: string): string => (moduleOf(i) === from ? `f${i}` : `${moduleOf(i)}.f${i}`)
  const termOf = (i: number, from: string): string =>
    `${used(i, from)}${functions[i]?.kind === 'constant' ? '' : '(x)'}`
  const files: Record<string, string[]> = { 'm0.py': [], 'm1.py': [], 'm2.py': [] }
  for (const [i, { module, calls, body, kind }] of functions.entries()) {
    const sum = [`x + ${body}`, ...calls.map((call) => termOf(call, module))].join(other ? '  +  ' : ' + ')
    const lines = [docstring, `return ${sum}`]
      .filter((line) => line !== '')
      .map((line) => `${indent}${line}\n`)
    files[`${module}.py`]?.push(
      kind === 'constant' ? `${comment}f${i} = ${body}\n` : `${comment}def f${i}(x):\n${lines.join('')}`,
    )
  }
  const texts = Object.entries(files).map(([name, parts]) => [name, `import m0, m1, m2\n${parts.join(gap)}`])
  const roots = tasks.map(({ root }, i) => `${comment}def t${i}(x):\n${indent}return ${termOf(root, '')}\n`)
  return { ...Object.fromEntries(texts), 'steps.py': `import m0, m1, m2\n${roots.join(gap)}` }
}

test('tasks of generated programs are the same exactly where nothing that they reach has changed', async () => {
  const cases = fc.sample(arbitraryEdits, 60)
  const source = stage.opened()
  const asked = cases.flatMap(({ before, after }, i) =>
    [before, after].flatMap((sketch, j) => {
      const folder = `case${i}-${j}`
      const files = Object.entries(rendered(sketch)).map(([name, text]) => [`${folder}/${name}`, text])
      stage.project.write(Object.fromEntries(files))
      return before.tasks.map(async (_, k) =>
        source.fingerprint(stage.project.python(`${folder}/steps.py`, `t${k}`)),
      )
    }),
  )
  const digests = (await Promise.all(asked)).map(({ digest }) => digest)
  for (const { before, after } of cases) {
    const [then, now] = [digests.splice(0, before.tasks.length), digests.splice(0, before.tasks.length)]
    const changed = then.map((digest, k) => digest !== now[k])
    const expected = before.tasks.map((_, k) => reached(before, k) !== reached(after, k))
    expect(changed, JSON.stringify({ before, after })).toEqual(expected)
  }
})
