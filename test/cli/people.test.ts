import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { Project, type Ran } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const last = ({ stdout }: Ran): Record<string, unknown> =>
  JSON.parse(stdout.trim().split('\n').at(-1) as string) as Record<string, unknown>

/** The flag before what stands after `--`. */
function withJson(args: readonly string[]): string[] {
  const at = args.indexOf('--')
  return at < 0 ? [...args, '--json'] : [...args.slice(0, at), '--json', ...args.slice(at)]
}

const asks = `
import { run, workflow, z } from 'almanac'
export default workflow('asks', async () =>
  run.ask(z.object({ ok: z.boolean(), why: z.string().optional() }), { title: 'Publish?' }))
`

/** Runs until a file named `go` is there; its clean-up says so and waits for a file named `cleaned`. */
const waits = `
import { existsSync, writeFileSync } from 'node:fs'
import { task, workflow } from 'almanac'
const until = async (name: string, signal: AbortSignal) => {
  while (!existsSync(name)) {
    if (signal.aborted) throw new Error('stopped')
    await new Promise(setImmediate)
  }
}
export const hold = task('hold', async ({ signal }) => {
  console.log('holding')
  writeFileSync('holds', '')
  await until('go', signal)
  console.log('let go')
})
export const next = task('next', () => 'next')
export const clean = task('clean', async ({ signal }) => { writeFileSync('cleans', ''); await until('cleaned', signal) })
export default workflow('waits', async () => {
  try { await hold(); return await next() } finally { await clean() }
})
`

/** Prints at once, and again when there is a file; ends when there is another. */
const prints = `
import { existsSync, writeFileSync } from 'node:fs'
import { task, workflow } from 'almanac'
const until = async (name: string) => {
  while (!existsSync(name)) await new Promise(setImmediate)
}
export const talk = task('talk', async () => {
  console.log('first')
  writeFileSync('prints', '')
  await until('more')
  console.log('second')
  await until('go')
})
export default workflow('prints', async () => talk())
`

describe('a question', () => {
  it('shows how to answer it, stays open for what does not fit, and takes texts as texts', async () => {
    project = await Project.make({ 'asks.ts': asks })
    const { stderr } = await project.run('run', 'asks.ts')
    const id = /almanac answer (\w+) 0 …/.exec(stderr)?.[1]
    expect((await project.run('answer', 'last')).stdout).toBe(
      `0  Publish?\n   almanac answer ${id} 0 ok=boolean why=string?\n`,
    )
    const wrong = await project.run('answer', 'last', 'ok=maybe')
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/^error The answer does not fit its schema: ok: .*The question is still open/),
    ])
    expect((await project.run('status')).stdout).toContain('? Publish?')
    expect((await project.run('answer', 'last', '0', 'ok=true', 'why=12')).code).toBe(0)
    expect(last(await project.run('resume', 'last', '--json'))['output']).toEqual({ ok: true, why: '12' })
    expect((await project.run('answer', 'last')).stdout).toBe(`Run ${id} asks nothing.\n`)
    expect((await project.run('answer', 'last', '0', 'ok=true')).code).toBe(2)
  })
})

/** A run whose process is ended while it waits. */
async function killed() {
  project = await Project.make({ 'waits.ts': waits })
  const run = project.start('run', 'waits.ts')
  await project.there('holds')
  run.child.kill('SIGKILL')
  await run.ended
  return run
}

describe('a run that another process executes', () => {
  it('is followed by logs -f, refused to others, and paused; then it rests and goes on', async () => {
    project = await Project.make({ 'waits.ts': waits, cleaned: '' })
    const run = project.start('run', 'waits.ts', '--json')
    await project.there('holds')
    const logs = project.start('logs', 'last', '-f')
    await logs.saw(/holding/)
    const owned = await project.run('resume', 'last')
    expect([owned.code, /is executed by process \d+ on/.test(owned.stderr)]).toEqual([1, true])
    expect((await project.run('rm', 'last')).stderr).toMatch(/has not ended/)
    expect((await project.run('pause', 'last')).stdout).toMatch(
      /^Asked the process that runs \w+ to pause\.\n$/,
    )
    while ((await project.json('show', 'last'))['state'] === 'running');
    await project.write({ go: '' })
    const rests = await run.ended
    expect([rests.code, last(rests)['state']]).toEqual([4, 'paused'])
    expect((await logs.ended).stdout).toMatch(/hold 0 holding\n.*hold 0 let go\n$/)
    const resumed = await project.run('resume', 'last', '--json')
    expect([resumed.code, last(resumed)['output']]).toEqual([0, 'next'])
  })

  it('is followed by nobody when the reader of logs -f has gone', async () => {
    project = await Project.make({ 'prints.ts': prints })
    const run = project.start('run', 'prints.ts', '--json')
    await project.there('prints')
    const logs = project.start('logs', 'last', '-f')
    await logs.saw(/first/)
    logs.child.stdout.destroy()
    await project.write({ more: '' })
    expect((await logs.ended).code).toBe(0)
    expect(run.child.exitCode).toBe(null)
    await project.write({ go: '' })
    expect((await run.ended).code).toBe(0)
  })

  it('is cancelled with its clean-up', async () => {
    project = await Project.make({ 'waits.ts': waits })
    const run = project.start('run', 'waits.ts', '--json')
    await project.there('holds')
    await project.run('cancel', 'last')
    await project.there('cleans')
    await project.write({ cleaned: '' })
    const ended = await run.ended
    expect([ended.code, last(ended)['state']]).toEqual([3, 'cancelled'])
  })

  it('is only looked at by doctor where its process is gone', async () => {
    const { child } = await killed()
    expect((await project.run('doctor')).stdout).toMatch(/\w+ has no process any more: almanac resume \w+\n$/)
    const journal = new DatabaseSync(join(project.folder, '.almanac', 'journal.db'), { readOnly: true })
    const kept = journal.prepare('SELECT host, pid FROM runs').all()
    journal.close()
    expect(kept.map((row) => ({ ...row }))).toEqual([{ host: hostname(), pid: child.pid }])
  })

  it('is cancelled at once where its process is gone', async () => {
    await killed()
    expect((await project.run('doctor')).stdout).toMatch(/has no process any more: almanac resume/)
    expect((await project.run('cancel', 'last')).stdout).toMatch(/^Run \w+ is cancelled\.\n$/)
  })

  it('cleans up at the first Ctrl-C, and not at the second', async () => {
    project = await Project.make({ 'waits.ts': waits })
    const run = project.start('run', 'waits.ts')
    await project.there('holds')
    run.child.kill('SIGINT')
    await project.there('cleans')
    run.child.kill('SIGINT')
    const { code, stdout, stderr } = await run.ended
    expect([code, stderr]).toEqual([
      3,
      'Stopping; press Ctrl-C again to skip clean-up.\nStopping without clean-up; press Ctrl-C again to leave at once.\n',
    ])
    expect(stdout).toMatch(/^• \w+ cancelled .*\n {2}almanac resume \w+\n$/)
  })
})

describe('retry', () => {
  it('runs the calls of a task again, and with --after all that was made after them', async () => {
    project = await Project.make({
      'chain.ts': `
import { task, workflow } from 'almanac'
export const a = task('a', () => 1)
export const b = task('b', (n: number) => n + 1)
export const c = task('c', (n: number) => n + 1)
export default workflow('chain', async () => c(await b(await a())))
`,
    })
    await project.run('run', 'chain.ts')
    const one = await project.json('retry', 'last', 'b')
    expect([one['executed'], one['reused']]).toEqual([1, 2])
    const after = await project.json('retry', 'last', 'b', '--after')
    expect([after['executed'], after['reused']]).toEqual([2, 1])
  })
})

describe('on a terminal', () => {
  const ticks = `
import { task, workflow } from 'almanac'
export const tick = task('tick', async (n: number) => { await new Promise((later) => setTimeout(later, 700)); return n })
export default workflow('ticks', async () => tick(1))
`

  it('progress stays within a narrow line, comes at most ten times a second, and is gone at the end', async () => {
    project = await Project.make({ 'ticks.ts': ticks })
    const began = Date.now()
    const { stdout, code } = await project.onTerminal(30, 'run', 'ticks.ts').ended
    const most = (Date.now() - began) / 100 + 1
    const drawn = stdout.split('\r\u001b[2K').slice(1)
    const frames = drawn.filter((frame) => /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/.test(frame))
    expect([code, frames.length > 0, frames.length <= most]).toEqual([0, true, true])
    expect(frames.filter((frame) => frame.length >= 30 || frame.includes('\n'))).toEqual([])
    expect(drawn.at(-1)).toMatch(/✓ \w+ succeeded · 1 executed/)
  })

  it('elsewhere there is none', async () => {
    project = await Project.make({ 'ticks.ts': ticks })
    const { stdout, stderr } = await project.run('run', 'ticks.ts')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^✓ \w+ succeeded · 1 executed · 0 reused · [\d.]+ s\n {2}1\n$/)
  })
})

describe('--json', () => {
  it('gives one object a line on every command', async () => {
    project = await Project.make()
    await project.run('init', '.')
    const commands = [
      ['run', 'pipeline.ts', '-i', 'texts=texts'],
      ['run', 'pipeline.ts', '-i', 'texts=texts', '--dry-run'],
      ...[['runs'], ['status', 'pipeline.ts'], ['doctor', '--data'], ['gc'], ['data', 'ls']],
      ['data', 'ls', 'pipeline/page'],
      ['data', 'get', 'pipeline/page', 'copy.md'],
      ...[
        ['show', 'last'],
        ['graph', 'last'],
        ['show', 'last', 'measure'],
        ['show', 'last', '0'],
      ],
      ['why', 'last', 'report'],
      ['shell', 'last', 'report', '--', 'true'],
      ['retry', 'last', 'report'],
      ['resume', 'last'],
      ['rm', 'last'],
    ]
    for (const args of commands) {
      const { code, stdout, stderr } = await project.run(...withJson(args))
      const kinds = stdout
        .trim()
        .split('\n')
        .map((line) => typeof (JSON.parse(line) as { kind?: unknown }).kind)
      expect([args.join(' '), code, stderr, [...new Set(kinds)]]).toEqual([args.join(' '), 0, '', ['string']])
    }
  })
})
