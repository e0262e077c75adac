import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

beforeAll(async () => {
  project = await Project.make(
    {
      'kinds.ts': `
import { command, dir, file, json, python, script, task, workflow } from 'almanac'
const words = command.task({
  name: 'words',
  run: ['sh', '-c', 'wc -w < "$0" > "$1"', '{in.text}', '{out.count}', '{params.note}'],
  input: { text: file(), note: json<string>() },
  output: { count: file('count.txt') },
  variables: ['SEASON'],
})
const lines = script.task({
  name: 'lines', lang: 'sh', source: 'exit 3', input: { text: file(), n: json<number>() }, output: { out: file() },
})
const measure = python.task({ run: 'steps.py:measure', input: { file: file() }, output: { words: json<number>() } })
const sum = task('sum', (all: number[]) => all.reduce((a, b) => a + b, 0))
const never = task('never', (out: unknown) => out)
export default workflow('kinds', { input: { texts: dir(), one: file() } }, async ({ texts, one }) => {
  const total = sum(measure.map(texts).words.all())
  const { count } = words({ text: one, note: "it's two words" })
  return never(lines({ text: count, n: total }))
})
`,
      'steps.py': 'def measure(file):\n    return len(file.read_text().split())\n',
    },
    { SEASON: 'spring', UNDECLARED: 'x' },
  )
  await project.run('init', 'other')
  const { code } = await project.run(
    'run',
    'kinds.ts',
    '-i',
    'texts=other/texts',
    '-i',
    'one=other/texts/one.txt',
  )
  expect(code).toBe(1)
})

afterAll(() => project.remove())

/** What a command prints in the shell of a call, line by line. */
async function inShell(task: string, ...command: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await project.run('shell', 'last', task, '--', ...command)
  if (code !== 0) throw new Error(stderr)
  return stdout.trimEnd().split('\n')
}

const variables = async (task: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await inShell(task, 'env')).map((line) => [
      line.slice(0, line.indexOf('=')),
      line.slice(line.indexOf('=') + 1),
    ]),
  )

/** Directories of attempts that are left anywhere. */
const left = (): Promise<string[]> => readdir(join(project.folder, '.almanac/work'))

describe('almanac shell', () => {
  it('gives a command its inputs, outputs and declared variables, and nothing else', async () => {
    const env = await variables('words')
    const names = Object.keys(env).filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name))
    expect(names.sort()).toEqual(
      [
        ...[
          'ATTEMPT',
          'CALL',
          'EVENTS',
          'IDEMPOTENCY_KEY',
          'IN_text',
          'LOGICAL_TIME',
          'NESTING',
          'OUT_count',
        ],
        ...['PARAMS', 'RESULT', 'RUN'],
      ]
        .map((name) => `ALMANAC_${name}`)
        .concat('HOME', 'LANG', 'PATH', 'SEASON', 'TMPDIR'),
    )
    expect(env['SEASON']).toBe('spring')
    expect(env['ALMANAC_OUT_count']).toMatch(/\/count\.txt$/)
  })

  it('says what the command was, word by word', async () => {
    const { stderr } = await project.run('shell', 'last', 'words', '--', 'true')
    expect(stderr.split('\n')[0]).toMatch(
      /^words \d+ {2}sh -c 'wc -w < "\$0" > "\$1"' \S+\/one\.txt \S+\/count\.txt 'it'\\''s two words'$/,
    )
  })

  it('does again what a task did: the words it prints can be run', async () => {
    const done =
      'wc -w < "$ALMANAC_IN_text" > "$ALMANAC_OUT_count" && cat "$ALMANAC_OUT_count" && pwd && ls -A'
    const [count, cwd, ...files] = await inShell('words', 'sh', '-c', done)
    expect([Number(count), files]).toEqual([3, ['.almanac-params.json']])
    expect(cwd).toMatch(/\/scratch$/)
    expect(await left()).toEqual([])
  })

  it('gives a script its text, and inputs that other calls and views of them made', async () => {
    const [text, params] = await inShell(
      'lines',
      'sh',
      '-c',
      'cat .almanac-script.sh; echo; cat "$ALMANAC_PARAMS"',
    )
    expect(text).toBe('exit 3')
    const { text: file, n } = JSON.parse(params ?? '') as { text: string; n: number }
    expect([n, file.endsWith('/count.txt')]).toEqual([5, true])
    expect((await project.run('shell', 'last', 'lines', '--', 'true')).stderr).toMatch(
      /^lines \d+ {2}sh \S+script\.sh\n/,
    )
  })

  it('lets Python import the function of an entry of a map, and names it', async () => {
    const program =
      'import os, pathlib, steps; print(steps.measure(pathlib.Path(os.environ["ALMANAC_IN_file"])))'
    expect(await inShell('measure', 'python3', '-c', program)).toEqual(['3'])
    expect((await project.run('shell', 'last', 'measure', '--', 'true')).stderr).toMatch(
      /^measure \d+ {2}steps\.py:measure\n/,
    )
    expect(await readdir(project.folder)).not.toContain('__pycache__')
  })

  it('reads commands from standard input, ends as the shell ends, and leaves nothing behind', async () => {
    const { code, stdout } = await project.runWith('cat "$ALMANAC_PARAMS"\nexit 7\n', 'shell', 'last', 'sum')
    expect({ code, stdout, left: await left() }).toEqual({ code: 7, stdout: '{"args":[[3,2]]}', left: [] })
  })

  it('keeps standard output to objects with --json', async () => {
    const { code, stdout, stderr } = await project.run(
      'shell',
      'last',
      'sum',
      '--json',
      '--',
      'echo',
      'heard',
    )
    const { cwd, run, call, ...said } = JSON.parse(stdout) as Record<string, unknown>
    expect({ code, stderr, types: [typeof cwd, typeof run, typeof call], said }).toEqual({
      code: 0,
      stderr: 'heard\n',
      types: ['string', 'string', 'number'],
      said: {
        kind: 'shell',
        task: 'sum',
        argv: null,
        function: expect.stringMatching(/kinds\.ts:14 sum$/),
        exitCode: 0,
      },
    })
  })

  it.each([
    ['a call whose inputs are not known', ['never'], /its input from lines is not known/],
    ['a call that is not there', ['nothing'], /has no task or call nothing/],
    [
      'a program that is not there',
      ['sum', '--', 'no-such-program'],
      /no-such-program was not found: it is not on PATH/,
    ],
  ])('refuses %s', async (_, args, message) => {
    const { code, stderr } = await project.run('shell', 'last', ...args)
    expect(stderr).toMatch(message)
    expect([code === 0, await left()]).toEqual([false, []])
  })
})
