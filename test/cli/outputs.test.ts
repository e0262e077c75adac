import { readFileSync } from 'node:fs'
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
