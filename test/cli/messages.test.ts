import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Project, type Ran } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

/** Receives until a message is the last, and tells what it got. */
const steered = `
import { run, workflow, z } from 'almanac'
const steer = { gain: z.number(), last: z.boolean().optional() }
export default workflow('steered', async () => {
  const got: number[] = []
  for (;;) {
    const { gain, last } = await run.receive('steer', steer)
    got.push(gain)
    if (last) break
  }
  await run.send('steered', { got })
  return got
})
`

/** Gives what it is called back with. */
const given = `
import { run, task, workflow, z } from 'almanac'
export const notify = task('notify', (url: string) => console.log(url))
export default workflow('given', async () => {
  const { url, posted } = run.callback({ text: z.string() })
  await notify(url)
  return (await posted).text
})
`

/** Tells its own reader and another run, before and after a task that waits for a file. */
const tells = `
import { existsSync, writeFileSync } from 'node:fs'
import { run, task, workflow, z } from 'almanac'
export const twice = task('twice', (n: number) => n * 2)
export const hold = task('hold', { cache: false }, async (from: number) => {
  writeFileSync(\`holds \${from}\`, '')
  while (!existsSync(\`go \${from}\`)) await new Promise(setImmediate)
  return from
})
export default workflow('tells', { input: { to: z.string() } }, async ({ to }) => {
  await run.send('found', { n: 1, twice: twice(1) })
  await run.send('steer', { gain: 7 }, { to })
  await hold(1)
  await run.send('found', { n: 2, twice: twice(2) })
  await run.send('steer', { gain: 8, last: true }, { to })
  await hold(2)
  return 'told'
})
`

const submitted = `
import { run, task, workflow, z } from 'almanac'
export const submit = task('submit', { cache: false }, (notify: string) => console.log('notify ' + notify))
export default workflow('submitted', async () => {
  const { url, posted } = run.callback({ state: z.string() }, { title: 'the job' })
  await submit(url)
  return (await posted).state
})
`

/** Is called back twice, one after the other, and then works until there is a file. */
const calledTwice = `
import { existsSync, writeFileSync } from 'node:fs'
import { run, task, workflow, z } from 'almanac'
export const tell = task('tell', { cache: false }, (name: string, url: string) => console.log(name + ' ' + url))
export const hold = task('hold', { cache: false }, async () => {
  writeFileSync('holds', '')
  while (!existsSync('go')) await new Promise(setImmediate)
  return 'held'
})
export default workflow('twice', async () => {
  const [first, second] = ['first', 'second'].map((title) => run.callback({}, { title }))
  await tell('first', first!.url)
  await tell('second', second!.url)
  await first!.posted
  await second!.posted
  return await hold()
})
`

/** Is called back, and then works until it is stopped; its clean-up waits for a file. */
const cleansUp = `
import { existsSync, writeFileSync } from 'node:fs'
import { run, task, workflow, type TaskContext } from 'almanac'
export const tell = task('tell', { cache: false }, (url: string) => console.log(url))
export const hold = task('hold', { cache: false }, async ({ signal }: TaskContext) => {
  writeFileSync('holds', '')
  while (!signal.aborted) await new Promise(setImmediate)
})
export const clean = task('clean', { cache: false }, async () => {
  writeFileSync('cleans', '')
  while (!existsSync('cleaned')) await new Promise(setImmediate)
})
export default workflow('cleans', async () => {
  const { url, posted } = run.callback({})
  await tell(url)
  await posted
  try { await hold() } finally { await clean() }
})
`

/** The objects that a command printed. */
const objects = ({ stdout }: Ran): Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const startedRun = (ran: Ran): string => objects(ran)[0]?.['id'] as string

/** Messages of a run: direction, name, value, and the call that received or sent it. */
async function messages(run: string, ...more: string[]): Promise<unknown[]> {
  const told = objects(await project.run('messages', run, ...more, '--json'))
  return told.map(({ direction, name, value, call }) => [direction, name, value, call ?? null])
}

describe('a run that receives', () => {
  it('rests and says what it waits for; what is sent meanwhile is received once, in its order', async () => {
    project = await Project.make({ 'steered.ts': steered })
    const { code, stdout, stderr } = await project.run('run', 'steered.ts')
    const [, id = ''] = /almanac send (\w+) steer …/.exec(stderr) ?? []
    expect([code, stderr]).toEqual([4, `? a message: steer\n  almanac send ${id} steer …\n`])
    expect(stdout).toMatch(new RegExp(`^• ${id} waiting .*\\n {2}almanac send ${id} steer …\\n$`))

    const goesOn = `The run goes on with: almanac resume ${id}`
    expect((await project.run('send', 'last', 'steer', '{"gain":1}')).stdout).toBe(`Sent. ${goesOn}\n`)
    expect((await project.run('send', 'last', 'steer', 'gain=2', '--id', 'b')).code).toBe(0)
    expect((await project.run('send', 'last', 'steer', 'gain=2', '--id', 'b')).stdout).toBe(
      `It was sent before, as message 2. ${goesOn}\n`,
    )
    const misfit = await project.run('send', 'last', 'steer', 'gain=loud')
    expect([misfit.code, misfit.stderr]).toEqual([
      2,
      expect.stringMatching(/^error The message does not fit its schema: gain: .*It was not sent/),
    ])
    expect((await project.runWith('{"gain":3}', 'send', 'last', 'steer', '-')).code).toBe(0)
    const three = [1, 2, 3].map((gain) => ['in', 'steer', { gain }, null])
    expect(await messages('last')).toEqual(three)

    expect((await project.run('resume', id)).code).toBe(4)
    const sent = await project.json('send', id, 'steer', 'gain=4', 'last=true')
    expect(sent).toEqual({ kind: 'sent', run: id, name: 'steer', seq: 4, isNew: true })
    const { state, output } = await project.json('resume', id)
    expect({ state, output }).toEqual({ state: 'succeeded', output: [1, 2, 3, 4] })
    expect(await messages(id)).toEqual([
      ...[1, 2, 3].map((gain, call) => ['in', 'steer', { gain }, call]),
      ['in', 'steer', { gain: 4, last: true }, 3],
      ['out', 'steered', { got: [1, 2, 3, 4] }, 4],
    ])
    expect(await messages(id, 'steered')).toHaveLength(1)
  })
})

const steeredPython = `
from typing import Optional

from almanac import run, workflow

@workflow
async def main():
    got = []
    while True:
        steer = await run.receive("steer", {"gain": float, "last": Optional[bool], "why": Optional[str]})
        got.append(steer)
        if steer["last"]:
            return got
`

describe('a run in Python that receives', () => {
  it('takes a message without what may be None, and names what is missing', async () => {
    project = await Project.make({ 'steered.py': steeredPython })
    await project.run('run', 'steered.py')
    expect((await project.run('send', 'last', 'steer', 'last=false')).stderr).toBe(
      'error The message does not fit its schema: gain: it is missing (wanted: gain=number last=boolean|null? why=string|null?). It was not sent. [ALM_SCHEMA]\n      Correct the value or the schema.\n',
    )
    await project.run('send', 'last', 'steer', 'gain=1')
    await project.run('send', 'last', 'steer', 'gain=2', 'last=true', 'why=done')
    expect((await project.json('resume', 'last'))['output']).toEqual([
      { gain: 1, last: null, why: null },
      { gain: 2, last: true, why: 'done' },
    ])
  })
})

describe('a message that does not fit', () => {
  it('is told of by status and show, as far as it is among the newest, until the run is removed', async () => {
    project = await Project.make({ 'steered.ts': steered })
    const id = startedRun(await project.run('run', 'steered.ts', '--json'))
    // the schema that is sent by is another one than that by which they are received
    await project.write({ 'steered.ts': steered.replace('z.number()', 'z.number().max(9)') })
    for (const gain of [10, 11, 12, 13]) await project.run('send', id, 'steer', `gain=${gain}`)
    expect((await project.run('resume', id)).code).toBe(4)
    const told = [11, 12, 13].map((gain) => ({
      name: 'steer',
      value: { gain },
      error: { code: 'ALM_SCHEMA' },
    }))
    for (const command of [['show', id], ['status']]) {
      expect(await project.json(...command)).toMatchObject({ aside: told })
      const { stdout } = await project.run(...command)
      expect(stdout.match(/was set aside: steer \{gain: \d+\}/g)).toHaveLength(3)
      expect(stdout).toContain(`and more: almanac messages ${id}`)
    }
  })
})

describe('a run that sends', () => {
  it('has sent each message once, to its readers and to another run, when it is killed between them', async () => {
    project = await Project.make({ 'steered.ts': steered, 'tells.ts': tells })
    const other = startedRun(await project.run('run', 'steered.ts', '--json'))
    const first = project.start('run', 'tells.ts', '--input', `to=${other}`, '--json')
    await first.saw(/"started".*\n/)
    await project.there('holds 1')
    first.child.kill('SIGKILL')
    const id = startedRun(await first.ended)
    const second = project.start('resume', id)
    await project.write({ 'go 1': '' })
    await project.there('holds 2')
    second.child.kill('SIGKILL')
    await second.ended
    await project.write({ 'go 2': '' })
    expect((await project.run('resume', id)).code).toBe(0)
    expect((await messages(id)).map((message) => (message as unknown[]).slice(0, 3))).toEqual([
      ['out', 'found', { n: 1, twice: 2 }],
      ['out', 'steer', { gain: 7 }],
      ['out', 'found', { n: 2, twice: 4 }],
      ['out', 'steer', { gain: 8, last: true }],
    ])
    expect((await project.json('resume', other))['output']).toEqual([7, 8])
    expect(await messages(other, 'steer')).toHaveLength(2)
  })
})

describe('a callback', () => {
  /** A port that nothing listened on just now. */
  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await new Promise((closed) => server.close(closed))
    return port
  }

  /** `almanac listen`, on another port where somebody else was faster. */
  async function listening(...flags: string[]) {
    for (;;) {
      const address = `127.0.0.1:${await freePort()}`
      const listener = project.start('listen', '--listen', address, '--json', ...flags)
      await listener.saw(/"listening"|"error"/)
      if (/"listening"/.test(listener.said())) return { ...listener, address }
      const { stdout, stderr } = await listener.ended
      if (!stdout.includes('ALM_LISTEN_FAILED')) throw new Error(stdout + stderr)
    }
  }

  const json = { 'content-type': 'application/json' }

  it('is taken once, what is no answer leaves it open, and what was accepted outlives its listener', async () => {
    project = await Project.make(
      { 'submitted.ts': submitted },
      { ALMANAC_CALLBACKS_URL: 'https://outside/almanac' },
    )
    const rests = await project.run('run', 'submitted.ts', '--json')
    const id = startedRun(rests)
    expect([rests.code, rests.stderr]).toEqual([4, ''])
    const { stdout: log } = await project.run('logs', id)
    const [, path = ''] = /notify https:\/\/outside\/almanac(\/callbacks\/\S+)\n/.exec(log) ?? []
    const listener = await listening()
    const post = async (to: string, body: string): Promise<unknown[]> => {
      const response = await fetch(`http://${listener.address}${to}`, { method: 'POST', headers: json, body })
      return [response.status, await response.json()]
    }
    const wrong = `${path.slice(0, -4)}${path.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
    expect(await post(wrong, '{"state":"done"}')).toEqual([404, { error: 'not found' }])
    expect(await post(path, '{"state":1}')).toEqual([
      422,
      { error: 'it does not fit', issues: expect.stringContaining('state: ') },
    ])
    expect(await post(path, `"${'x'.repeat(2 ** 20)}"`)).toEqual([413, { error: 'at most 1048576 bytes' }])
    expect(await post(path, '{"state":"done"}')).toEqual([200, { accepted: true }])
    listener.child.kill('SIGKILL')
    await listener.ended

    const again = await listening()
    const late = await fetch(`http://${again.address}${path}`, { method: 'POST', headers: json, body: '{}' })
    expect([late.status, await late.json()]).toEqual([410, { error: 'it was called before' }])
    again.child.kill('SIGINT')
    expect((await again.ended).code).toBe(0)
    const { state, output } = await project.json('resume', id)
    expect({ state, output }).toEqual({ state: 'succeeded', output: 'done' })
  })

  it('has its run go on by itself, unless somebody paused that, and what listens leaves the run to a later resume when it is stopped', async () => {
    project = await Project.make({ 'twice.ts': calledTwice })
    const listener = await listening('--resume')
    const there = Project.at(project.folder, { ALMANAC_CALLBACKS_URL: `http://${listener.address}` })
    const id = startedRun(await there.run('run', 'twice.ts', '--json'))
    const post = async (which: string): Promise<number> => {
      const { stdout } = await project.run('logs', id)
      const [, url = ''] = new RegExp(`${which} (http\\S+)`).exec(stdout) ?? []
      return (await fetch(url, { method: 'POST', headers: json, body: '{}' })).status
    }
    expect((await project.run('pause', id)).stdout).toBe(`Run ${id} is paused.\n`)
    expect(await post('first')).toBe(200)
    await listener.saw(new RegExp(`{"kind":"paused","run":"${id}"}`))
    expect(await project.json('show', id)).toMatchObject({ id, state: 'paused' })
    expect((await project.run('resume', id)).code).toBe(4)
    expect(await post('second')).toBe(200)
    await project.there('holds')
    listener.child.kill('SIGTERM')
    expect((await listener.ended).code).toBe(0)
    await project.write({ go: '' })
    const { state, output } = await project.json('resume', id)
    expect({ state, output }).toEqual({ state: 'succeeded', output: 'held' })
  })

  it('has runs that go on at once tell of it one object a line, however long', async () => {
    project = await Project.make({ 'given.ts': given })
    const listener = await listening('--resume')
    const there = Project.at(project.folder, { ALMANAC_CALLBACKS_URL: `http://${listener.address}` })
    const ids: string[] = []
    for (let n = 0; n < 4; n++) ids.push(startedRun(await there.run('run', 'given.ts', '--json')))
    // nothing is read before all of them have something to tell
    listener.child.stdout.pause()
    await Promise.all(
      ids.map(async (id, n) => {
        const [url = ''] = /http\S+/.exec((await project.run('logs', id)).stdout) ?? []
        const body = JSON.stringify({ text: String(n).repeat(500_000) })
        expect((await fetch(url, { method: 'POST', headers: json, body })).status).toBe(200)
      }),
    )
    for (const id of ids) while ((await project.json('show', id))['state'] !== 'succeeded');
    listener.child.stdout.resume()
    await listener.saw(/(?:"kind":"run"[\s\S]*){4}/)
    listener.child.kill('SIGTERM')
    const lines = (await listener.ended).stdout.trimEnd().split('\n')
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const outputs = new Map(told.filter(({ kind }) => kind === 'run').map(({ id, output }) => [id, output]))
    expect(ids.map((id) => outputs.get(id))).toEqual(ids.map((_, n) => String(n).repeat(500_000)))
  })

  it('has its runs clean up when it is stopped, whoever passes on what it was told', async () => {
    project = await Project.make({ 'cleans.ts': cleansUp })
    const listener = await listening('--resume')
    const there = Project.at(project.folder, { ALMANAC_CALLBACKS_URL: `http://${listener.address}` })
    const ran = await there.run('run', 'cleans.ts', '--json')
    const { stdout } = await project.run('logs', startedRun(ran))
    const [url = ''] = /http\S+/.exec(stdout) ?? []
    expect((await fetch(url, { method: 'POST', headers: json, body: '{}' })).status).toBe(200)
    await project.there('holds')
    listener.child.kill('SIGINT')
    await project.there('cleans')
    // as an older Node that has handed over passes it on where its whole group is interrupted
    listener.child.kill('SIGTERM')
    await project.write({ cleaned: '' })
    expect((await listener.ended).code).toBe(0)
    expect((await project.json('show', 'last'))['state']).toBe('cancelled')
  })
})
