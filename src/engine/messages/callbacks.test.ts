import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { run } from '../../flow/run.ts'
import { task } from '../../flow/task.ts'
import { workflow } from '../../flow/workflow.ts'
import { encode } from '../../model/codec.ts'
import { sha256, World } from '../../testing/world.ts'

const notify = task('notify', { cache: false }, (url: string) => url)
const submitted = workflow('submitted', async () => {
  const { url, posted } = run.callback(z.object({ state: z.string().min(2) }), { title: 'the job' })
  return [await notify(url), await posted]
})

const open = (world: World, id: string) => world.process.records.asks(id, { open: true })
const post = (world: World, id: string, value: object) =>
  world.process.journal.answer(id, 0, encode(value as never), 'callback', world.clock.now())

describe('a callback', () => {
  it('has the same URL in each life of the run, which no record has, and gives what is posted', async () => {
    const world = new World()
    const { id, state } = await world.run(submitted)
    const [url = ''] = world.took()
    const token = url.slice(url.indexOf('here/') + 5, -2)
    const [ask] = await open(world, id)
    expect([state, token.length, ask]).toMatchObject([
      'waiting',
      64,
      { of: 'callback', title: 'the job', token: sha256(token) },
    ])
    const calls = await world.process.records.calls(id, { limit: 9 })
    expect(
      calls
        .filter(({ call_kind: kind }) => kind !== 'task')
        .map((call) => JSON.stringify(call))
        .join(),
    ).not.toContain(token)
    expect(JSON.stringify(calls.map(({ argsWire }) => argsWire))).not.toContain(token)
    expect((await world.resume(id, submitted)).state).toBe('waiting')
    expect((await open(world, id))[0]?.token).toBe(sha256(token))
    await post(world, id, { state: 'ok' })
    const { output } = await world.resume(id, submitted)
    expect(output).toEqual([`http://here/${token}`, { state: 'ok' }])
    expect(world.took()).toEqual([])
    await expect(post(world, id, { state: 'ok' })).rejects.toMatchObject({ code: 'ALM_ASK_CLOSED' })
  })

  it('stays open for what only its author refuses, and survives a crash after it was posted', async () => {
    const world = new World()
    const { id } = await world.run(submitted)
    await post(world, id, { state: 'x' })
    expect((await world.resume(id, submitted)).state).toBe('waiting')
    expect((await open(world, id))[0]).toMatchObject({ of: 'callback', again: true })
    await post(world, id, { state: 'done' })
    const handle = await world.startResume(id, submitted)
    handle.result.catch(() => undefined)
    await world.crash()
    expect((await world.resume(id, submitted)).output).toMatchObject([expect.any(String), { state: 'done' }])
  })

  it('fails when nobody posts in time, and needs a key beside an equal one', async () => {
    const world = new World()
    const timed = workflow('timed', async () => run.callback(z.string(), { timeout: '1ms' }).posted)
    const { id } = await world.run(timed)
    const end = world.clock.now() + 5
    world.clock.at(end, () => undefined)
    while (world.clock.now() < end) world.clock.fireNext()
    expect((await world.resume(id, timed, { forget: 'none' })).error?.code).toBe('ALM_ASK_TIMEOUT')
    const equal = workflow('equal', async () => {
      const [a, b] = [run.callback(z.string()), run.callback(z.string())]
      return [await a.url, await b.url]
    })
    const keyed = workflow('keyed', async () => {
      const [a, b] = [run.callback(z.string(), { key: 'a' }), run.callback(z.string(), { key: 'b' })]
      const urls = new Set([await a.url, await b.url])
      await a.posted
      return urls.size
    })
    expect((await world.run(equal)).error?.code).toBe('ALM_KEY_NEEDED')
    const two = await world.run(keyed)
    expect((await open(world, two.id)).length).toBe(2)
  })
})
