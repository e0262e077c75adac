import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

/** Gives a file with the text that it was given. */
const envs = `
import { command, file, json, workflow } from 'almanac'
const write = command.task({
  name: 'write', run: ['sh', '-c', 'printf %s "$0" > "$1"', '{params.text}', '{out.f}'],
  input: { text: json<string>() }, output: { f: file('f.txt') },
})
export default workflow('envs', { input: { text: json<string>() } }, async ({ text }) => ({ f: write({ text }).f }))
`

const objects = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const text = (name: string): string => readFileSync(join(project.folder, name), 'utf8')

it('lists and writes outputs of the environment that is asked for, whichever ran last', async () => {
  project = await Project.make({ 'envs.ts': envs })
  const main = await project.json('run', 'envs.ts', '--input', 'text=main')
  const test = await project.json('run', 'envs.ts', '--input', 'text=test', '--env', 'test')
  expect((await project.json('data', 'ls'))['run']).toBe(main['id'])
  expect((await project.json('data', 'ls', '--env', 'test'))['run']).toBe(test['id'])
  await project.json('data', 'get', 'envs/f', 'of-main')
  await project.json('data', 'get', 'envs/f', 'of-test', '--env', 'test')
  expect([text('of-main'), text('of-test')]).toEqual(['main', 'test'])
})

it.each(['resume', 'retry'])('%s takes no environment: a run stays where it began', async (command) => {
  project = await Project.make()
  const { code, stderr } = await project.run(command, 'last', '--env', 'test')
  expect({ code, said: stderr.split('\n')[0] }).toEqual({ code: 2, said: "error: unknown option '--env'" })
})

it('has succeeded where its output cannot be shown, and says why and where it is', async () => {
  project = await Project.make({ 'envs.ts': envs })
  const own = join(project.folder, 'data', 'main', 'envs')
  mkdirSync(own, { recursive: true })
  writeFileSync(join(own, 'notes.txt'), 'mine')
  const { code, stdout } = await project.run('run', 'envs.ts', '--input', 'text=main', '--json')
  const lines = objects(stdout)
  const { id, state, error, shown } = lines.at(-1) ?? {}
  expect({ code, state, error, shown }).toEqual({ code: 0, state: 'succeeded', error: null, shown: null })
  const warnings = lines.filter(({ type }) => type === 'warning').map(({ name, body }) => [name, body])
  const path = join(realpathSync(project.folder), 'data/main/envs')
  const why = `its output is not shown: ${path} exists already. It is kept: almanac data get ${String(id)}/FIELD TARGET`
  expect(warnings).toEqual([['envs', why]])
  expect(text('data/main/envs/notes.txt')).toBe('mine')
  await project.json('data', 'get', `${String(id)}/f`, 'kept')
  expect(text('kept')).toBe('main')
})

it('refuses an environment that is no name before anything runs', async () => {
  project = await Project.make({ 'envs.ts': envs })
  const { code, stdout } = await project.run(
    'run',
    'envs.ts',
    '--input',
    'text=a',
    '--env',
    '../../oops',
    '--json',
  )
  expect([code, objects(stdout).map(({ kind, code: of, message }) => [kind, of, message])]).toEqual([
    2,
    [['error', 'ALM_USAGE', 'environment ../../oops: a name is ".."']],
  ])
  expect((await project.run('runs')).stdout).toContain('No runs')
})
