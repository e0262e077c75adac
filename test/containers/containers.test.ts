import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { testSettings } from '../../src/executors/container/rig.ts'
import { testImage } from '../../src/executors/container/test-body.ts'
import { Project } from '../cli/almanac.ts'

const flow = `
import { container, dir, file, json, workflow, z } from 'almanac'

const image = 'localhost/almanac-flow:1'
const inside = { image, entrypoint: [] }

export const upper = container.task({
  ...inside,
  name: 'upper',
  run: ['sh', '-c', 'tr a-z A-Z < "$0" > "$1"; echo {{\\\\"from\\\\": 1}} > $ALMANAC_RESULT', '{in.text}', '{out.upper}'],
  input: { text: file() },
  output: { upper: file('upper.txt'), from: json(z.number()) },
})

export const pack = container.task({
  ...inside,
  name: 'pack',
  run: ['sh', '-c', 'mkdir $1; for f in $0/*; do cat $f > $1/$(wc -c < $f).txt; done', '{in.all}', '{out.packed}'],
  input: { all: dir() },
  output: { packed: dir('packed') },
})

export const main = workflow('main', { input: { text: file(), all: dir() } }, async ({ text, all }) => {
  const { upper: big, from } = upper({ text })
  return { big, from, packed: pack({ all }).packed }
})

const wait = container.task({
  ...inside,
  name: 'wait',
  run: ['sh', '-c', 'echo here; [ -e /shared/go ] || sleep 1000; echo 1 > $ALMANAC_RESULT'],
  volumes: { '/shared': { source: './shared', write: true } },
})
export const waits = workflow('waits', async () => wait({}))

const large = container.task({
  ...inside,
  name: 'large',
  run: ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=30M count=1 && echo 1 > $ALMANAC_RESULT'],
  memory: '20MiB',
  cpu: 0.5,
  retries: { count: 1, delay: 0, memoryFactor: 4 },
})
export const needs = workflow('needs', async () => large({}))
export const short = workflow('short', async () => large.options({ retries: 0 })({}))

const hostile = container.task({
  ...inside,
  name: 'hostile',
  run: ['sh', '-c', '{params.words}', 'hostile', '{out.made}'],
  input: { words: json<string>() },
  output: { made: dir('made') },
})
export const leaves = workflow('leaves', { input: { words: json<string>() } }, async ({ words }) => hostile({ words }))
`

const pythonFlow = `
from pathlib import Path
from almanac import File, container, task, workflow

upper = container.task(
    "localhost/almanac-flow:1",
    ["sh", "-c", 'tr a-z A-Z < "$0" > "$1"', "{in.text}", "{out.made}"],
    name="upper",
    entrypoint=[],
    inputs={"text": File},
    outputs={"made": File},
    network="none",
)


@task
def length(made: Path) -> str:
    return made.read_text()


@workflow
async def main(text: File):
    return {"said": await length(upper(text).made)}
`

let project: Project
const { why } = testSettings
const [program = '', ...global] = testSettings.program
/** of this file's containers: other tests have some of their own */
const own = `almanac.test=${process.pid}`
const client = (...words: string[]): string =>
  execFileSync(program, [...global, ...words], { encoding: 'utf8' }).trim()

const tests = (): void => {
  beforeAll(() => {
    client('tag', testImage, 'localhost/almanac-flow:1')
  })

  afterAll(() => {
    client('rmi', 'localhost/almanac-flow:1')
  })

  beforeEach(async () => {
    project = await Project.make(
      { 'flow.ts': flow, 'flow.py': pythonFlow, 'in put.txt': 'hello' },
      {
        ALMANAC_CONTAINER_PROGRAM: testSettings.program.join(' '),
        ALMANAC_CONTAINER_ARGS: [...testSettings.args, `--label=${own}`].join(' '),
      },
    )
    for (const name of ['all', 'shared']) execFileSync('mkdir', [join(project.folder, name)])
    await project.write({ 'all/a.txt': 'a', 'all/b.txt': 'bb' })
  })

  afterEach(() => project.remove())

  const run = (workflow: string, ...more: string[]) => project.json('run', `flow.ts:${workflow}`, ...more)
  const main = () => run('main', '-i', 'text=in put.txt', '-i', 'all=all')

  it('runs as tasks do, is kept, and is executed again for another image', async () => {
    expect(await main()).toMatchObject({ state: 'succeeded', output: { from: 1 }, executed: 2 })
    const shown = join(project.folder, 'data', 'main', 'main')
    expect(readFileSync(join(shown, 'upper.txt'), 'utf8')).toBe('HELLO')
    expect(readdirSync(join(shown, 'packed'))).toEqual(['1.txt', '2.txt'])
    expect(await main()).toMatchObject({ state: 'succeeded', executed: 0 })
    // the same files under another name are the same image; another one under the name is not
    client('tag', 'localhost/almanac-flow:1', 'localhost/almanac-flow:same')
    await project.write({ 'flow.ts': flow.replace('almanac-flow:1', 'almanac-flow:same') })
    expect(await main()).toMatchObject({ executed: 0 })
    execFileSync('sh', [
      '-c',
      `printf 'FROM ${testImage}\\nLABEL a=b\\n' | ${[program, ...global].join(' ')} build -q -t localhost/almanac-flow:same -f - ${project.folder}/all`,
    ])
    expect(await main()).toMatchObject({ state: 'succeeded', executed: 2 })
    const { stdout } = await project.run('why', 'last', 'upper')
    expect(stdout).toMatch(/image/)
    client('rmi', 'localhost/almanac-flow:same')
  })

  it('is a task of Python too', async () => {
    const ran = await project.json('run', 'flow.py', '-i', 'text=in put.txt')
    expect(ran).toMatchObject({ state: 'succeeded', output: { said: 'HELLO' } })
  })

  it('leaves no container when the engine is killed, and goes on when it is resumed', async () => {
    const started = project.start('run', 'flow.ts:waits')
    const running = (): string => client('ps', '-q', '--filter', `label=${own}`)
    await vi.waitUntil(() => running() !== '', { interval: 100, timeout: 120_000 })
    started.child.kill('SIGKILL')
    await started.ended
    await vi.waitUntil(() => client('ps', '-aq', '--filter', `label=${own}`) === '', {
      interval: 100,
      timeout: 120_000,
    })
    await project.write({ 'shared/go': '' })
    expect(await project.json('resume', 'last')).toMatchObject({ state: 'succeeded', output: 1 })
  })

  it('is stopped when its run is cancelled', async () => {
    const started = project.start('run', 'flow.ts:waits')
    await vi.waitUntil(() => client('ps', '-q', '--filter', `label=${own}`) !== '', {
      interval: 100,
      timeout: 120_000,
    })
    started.child.kill('SIGINT')
    expect((await started.ended).code).toBe(3)
    expect(client('ps', '-aq', '--filter', `label=${own}`)).toBe('')
  })

  it('says that its memory was short, and gets more of it at the next attempt', async () => {
    expect(await run('needs')).toMatchObject({ state: 'succeeded', output: 1 })
    const { code, stderr, stdout } = await project.run('run', 'flow.ts:short')
    expect(code).toBe(1)
    expect(stdout + stderr).toMatch(/limit of 20 MiB[\s\S]*more memory/)
  })

  it.each([
    ['a link out of its output', 'mkdir $1; ln -s /etc/passwd $1/x', 'absolute link'],
    ['a link to a directory', 'ln -s /almanac $1', 'a link'],
    ['a pipe', 'mkdir $1; mkfifo $1/x', 'not a regular file'],
    ['nothing', 'true', 'made'],
  ])('may leave %s, which is refused', async (_name, words, says) => {
    const { code, stdout, stderr } = await project.run('run', 'flow.ts:leaves', '-i', `words="${words}"`)
    expect(code, stderr).toBe(1)
    expect(stdout + stderr).toContain(says)
    const { stdout: logs } = await project.run('runs')
    expect(logs).toContain('failed')
  })

  it('is opened in a shell as the task would find it', async () => {
    await main()
    const { stdout, code } = await project.run(
      'shell',
      'last',
      'upper',
      '--',
      'cat',
      '/almanac/in/text/in put.txt',
    )
    expect([code, stdout]).toEqual([0, expect.stringContaining('hello')])
  })

  it('says what is missing where nothing runs containers', async () => {
    const without = Project.at(project.folder, { ALMANAC_CONTAINER_PROGRAM: '/nowhere/podman' })
    const { code, stdout, stderr } = await without.run('run', 'flow.ts:waits')
    expect(code).toBe(1)
    expect(stdout + stderr).toContain('No program that runs containers works here: /nowhere/podman')
    expect(stdout + stderr).toContain('ALMANAC_CONTAINER_PROGRAM')
  })
}

if (why === undefined) describe('a workflow with containers', tests)
else
  it(`a workflow with containers is not tested here: ${why}`, () => {
    expect(process.env['ALMANAC_TEST_CONTAINERS'], why).not.toBe('1')
  })
