import { describe, expect, it } from 'vitest'
import { run } from '../../src/flow/run.ts'
import { dir, file, json } from '../../src/flow/schema.ts'
import { task } from '../../src/flow/task.ts'
import type { File } from '../../src/flow/values.ts'
import { workflow } from '../../src/flow/workflow.ts'
import type { TaskContext } from '../../src/model/task-context.ts'
import { World } from '../../src/testing/world.ts'

/** The world under test: tasks read its files. */
let world: World

const write = (path: string, content: string): void =>
  world.data.files.write(path, new TextEncoder().encode(content))
const text = (given: File): string => new TextDecoder().decode(world.data.files.file(given.at ?? '')?.bytes)

const words = task(
  'words',
  { output: { count: json<number>() } },
  (given: File) => text(given).split(' ').length,
)
const wordsEdited = words.options({ version: '2' })
const shout = task('shout', { output: { loud: file() } }, (given: File, { out }: TaskContext) => {
  write(out['loud'] as string, text(given).toUpperCase())
})
const total = task('total', (counts: number[]) => counts.reduce((a, b) => a + b, 0))
const fragile = task('fragile', { output: { ok: json<boolean>() } }, (given: File) => {
  if (text(given).startsWith('bad')) throw new Error(`${given.name} is bad`)
  return true
})

const counting = (count = words) =>
  workflow('counting', { input: { texts: dir() } }, async ({ texts }) => {
    const counted = count.map(texts)
    const long = texts.filter(counted.count, (n) => n > 1)
    return { sum: await total(counted.count.all()), long: shout.map(long).loud }
  })

/** A new run on what lies in `/texts` now: what it executed. */
async function ran(
  flow = counting(),
): Promise<{ readonly executed: string[]; readonly sum: unknown; readonly reused: number }> {
  world.took()
  const result = await world.run(flow, { texts: await world.data.scan('/texts') } as never)
  if (result.error !== undefined) throw new Error(result.error.message)
  return { executed: world.took().sort(), sum: (result.output as { sum: number }).sum, reused: result.reused }
}

function aWorldWith(files: Readonly<Record<string, string>>): void {
  world = new World()
  for (const [name, content] of Object.entries(files)) write(`/texts/${name}`, content)
}

describe('a map over a directory executes what changed', () => {
  it('nothing changed: nothing, in a new run', async () => {
    aWorldWith({ 'a.txt': 'one', 'b.txt': 'two words' })
    expect(await ran()).toEqual({
      executed: ['shout(b.txt)', 'total([1,2])', 'words(a.txt)', 'words(b.txt)'],
      sum: 3,
      reused: 0,
    })
    // the sum takes no file: it is known within its run only
    expect(await ran()).toEqual({ executed: ['total([1,2])'], sum: 3, reused: 3 })
  })

  it('a file added: that file, and what its result changes', async () => {
    aWorldWith({ 'a.txt': 'one', 'b.txt': 'two words' })
    await ran()
    write('/texts/c.txt', 'now three words')
    expect(await ran()).toEqual({
      executed: ['shout(c.txt)', 'total([1,2,3])', 'words(c.txt)'],
      sum: 6,
      reused: 3,
    })
  })

  it('a file changed, a file deleted', async () => {
    aWorldWith({ 'a.txt': 'one', 'b.txt': 'two words', 'sub/c.txt': 'x y' })
    await ran()
    write('/texts/a.txt', 'a b')
    expect((await ran()).executed).toEqual(['shout(a.txt)', 'total([2,2,2])', 'words(a.txt)'])
    world.data.files.remove('/texts/b.txt')
    expect(await ran()).toEqual({ executed: ['total([2,2])'], sum: 4, reused: 4 })
  })

  it('a file renamed: that file, as its name counts', async () => {
    aWorldWith({ 'a.txt': 'one' })
    await ran()
    world.data.files.remove('/texts/a.txt')
    write('/texts/z.txt', 'one')
    expect((await ran()).executed).toEqual(['total([1])', 'words(z.txt)'])
  })

  it('the task edited: every file, and what comes after only if results changed', async () => {
    aWorldWith({ 'a.txt': 'one', 'b.txt': 'two words' })
    await ran()
    expect((await ran(counting(wordsEdited))).executed).toEqual([
      'total([1,2])',
      'words(a.txt)',
      'words(b.txt)',
    ])
  })

  it('of maps of one task over different directories each carries over its own', async () => {
    aWorldWith({ 'a.txt': 'one', 'b.txt': 'two words' })
    write('/others/c.txt', 'now three words')
    const both = workflow('both', { input: { texts: dir(), others: dir() } }, async ({ texts, others }) => {
      await words.map(texts)
      await run.stage('others', () => words.map(others))
      return words.map(others).count.all()
    })
    /** each map's entries that were made */
    const made = async () => {
      const input = { texts: await world.data.scan('/texts'), others: await world.data.scan('/others') }
      const { id } = await world.run(both, input as never)
      const calls = [...(world.store.runs.get(id)?.calls.values() ?? [])]
      return calls
        .filter((call) => call.call_kind === 'entry')
        .map(({ argsWire }) => argsWire.match(/\w\.txt/)?.[0])
    }
    expect(await made()).toEqual(['a.txt', 'b.txt', 'c.txt', 'c.txt'])
    expect(await made()).toEqual([])
    write('/others/d.txt', 'four')
    expect(await made()).toEqual(['d.txt', 'd.txt'])
  })

  it('the same content elsewhere: nothing', async () => {
    aWorldWith({ 'a.txt': 'one', 'b.txt': 'two words' })
    await ran()
    write('/moved/a.txt', 'one')
    write('/moved/b.txt', 'two words')
    world.took()
    await world.run(counting(), { texts: await world.data.scan('/moved') } as never)
    expect(world.took()).toEqual(['total([1,2])'])
  })

  it('a crash in the middle keeps the entries that had ended', async () => {
    aWorldWith({ 'a.txt': 'one', 'b.txt': 'two words', 'c.txt': 'x y z' })
    const flow = counting()
    const handle = await world.start(flow, { texts: await world.data.scan('/texts') } as never)
    await world.crashAfter(handle, 2)
    expect(world.took()).toEqual(['words(a.txt)', 'words(b.txt)'])
    const result = await world.resume(handle.id, flow)
    expect({ sum: (result.output as { sum: number }).sum, executed: world.took().sort() }).toEqual({
      sum: 6,
      executed: ['shout(b.txt)', 'shout(c.txt)', 'total([1,2,3])', 'words(c.txt)'],
    })
  })

  it('a map that was cancelled goes on where it was', async () => {
    aWorldWith({ 'a.txt': 'one', 'b.txt': 'two words', 'c.txt': 'x y z' })
    const flow = counting()
    const handle = await world.start(flow, { texts: await world.data.scan('/texts') } as never)
    while (world.executed.length < 1) await world.step()
    handle.request('cancel', 'me')
    expect((await world.finish(handle)).state).toBe('cancelled')
    const before = world.took()
    const result = await world.resume(handle.id, flow)
    expect((result.output as { sum: number }).sum).toBe(6)
    expect(world.took().filter((call) => before.includes(call))).toEqual([])
  })

  it('an empty directory is one too', async () => {
    aWorldWith({ 'a.txt': 'one' })
    world.data.files.remove('/texts/a.txt')
    write('/texts/sub/keep.part', '')
    expect(await ran()).toEqual({ executed: ['total([])'], sum: 0, reused: 0 })
  })
})

describe('a failed entry', () => {
  const checking = workflow('checking', { input: { texts: dir() } }, async ({ texts }) => {
    const checked = fragile.map(texts)
    return (await checked.settled()).failed
  })
  const strict = workflow('strict', { input: { texts: dir() } }, async ({ texts }) =>
    fragile.map(texts).ok.all(),
  )

  it('fails the map after the others are done', async () => {
    aWorldWith({ 'a.txt': 'good', 'b.txt': 'bad one', 'c.txt': 'good' })
    const result = await world.run(strict, { texts: await world.data.scan('/texts') } as never)
    expect({ state: result.state, message: result.error?.message, executed: world.took().length }).toEqual({
      state: 'failed',
      message: 'b.txt is bad',
      executed: 3,
    })
  })

  it('alone runs again when it is corrected and the run resumed', async () => {
    aWorldWith({ 'a.txt': 'good', 'b.txt': 'bad one', 'c.txt': 'good' })
    const first = await world.run(strict, { texts: await world.data.scan('/texts') } as never)
    write('/texts/b.txt', 'good now')
    world.took()
    const second = await world.resume(first.id, strict, {
      input: { texts: await world.data.scan('/texts') } as never,
    })
    expect({ output: second.output, executed: world.took() }).toEqual({
      output: [true, true, true],
      executed: ['fragile(b.txt)'],
    })
  })

  it('alone is executed by a new run when it is mended, and the others are carried over', async () => {
    aWorldWith({ 'a.txt': 'good', 'b.txt': 'bad one', 'c.txt': 'good' })
    await world.run(strict, { texts: await world.data.scan('/texts') } as never)
    write('/sound/a.txt', 'good')
    write('/sound/c.txt', 'good')
    const sound = (await world.data.scan('/sound')) as { readonly digest: string }
    expect([...world.store.bases.values()].map(({ input }) => input)).toEqual([sound.digest])
    write('/texts/b.txt', 'good now')
    world.data.files.remove('/texts/c.txt')
    world.took()
    const { output } = await world.run(strict, { texts: await world.data.scan('/texts') } as never)
    expect({ output, executed: world.took() }).toEqual({ output: [true, true], executed: ['fragile(b.txt)'] })
  })

  it('is given by settled, and fails nothing', async () => {
    aWorldWith({ 'a.txt': 'good', 'b.txt': 'bad one' })
    const result = await world.run(checking, { texts: await world.data.scan('/texts') } as never)
    expect({ state: result.state, output: result.output }).toEqual({
      state: 'succeeded',
      output: { 'b.txt': { code: 'ALM_TASK_FAILED', message: 'b.txt is bad' } },
    })
  })
})

describe('the run cache', () => {
  const measure = task('measure', (given: File) => text(given).length)
  const act = task('act', { effect: true }, (given: File) => text(given))
  const look = task('look', () => 1)
  const nothing = task('nothing', (given: File) => {
    text(given)
  })
  const one = (step: (given: never) => unknown, name = 'one') =>
    workflow(name, { input: { text: file() } }, async (input) => step(input.text as never))

  const times = async (step: (given: never) => unknown): Promise<number> => {
    aWorldWith({ 'a.txt': 'one' })
    await world.run(one(step), { text: await world.data.scan('/texts/a.txt') } as never)
    await world.run(one(step, 'another'), { text: await world.data.scan('/texts/a.txt') } as never)
    return world.took().length
  }

  it('serves calls that take a file, over runs and workflows', async () =>
    expect(await times(measure as never)).toBe(1))
  it('never serves what acts on the world', async () => expect(await times(act as never)).toBe(2))
  it('does not serve what takes no file', async () => expect(await times((() => look()) as never)).toBe(2))
  it('does not keep what gives nothing', async () => expect(await times(nothing as never)).toBe(2))
  it('does what cache says', async () => {
    expect(await times(measure.options({ cache: false }) as never)).toBe(2)
    expect(await times((() => look.options({ cache: true })()) as never)).toBe(1)
  })

  it('misses where an age bounds it', async () => {
    aWorldWith({ 'a.txt': 'one' })
    const young = measure.options({ cache: { for: '1h' } })
    const input = { text: await world.data.scan('/texts/a.txt') } as never
    await world.run(one(young as never), input)
    await world.clock.advance(1800_000)
    await world.run(one(young as never), input)
    expect(world.took()).toHaveLength(1)
    await world.clock.advance(3600_000)
    await world.run(one(young as never), input)
    expect(world.took()).toHaveLength(1)
  })

  it('misses where the files of a result are gone', async () => {
    aWorldWith({ 'a.txt': 'one' })
    const flow = workflow('loud', { input: { text: file() } }, async (input) => shout(input.text))
    const input = { text: await world.data.scan('/texts/a.txt') } as never
    const { output } = await world.run(flow, input)
    world.data.lose((output as { loud: File }).loud.digest)
    await world.run(flow, input)
    expect(world.took()).toEqual(['shout(a.txt)', 'shout(a.txt)'])
  })

  it('keeps no failure', async () => {
    aWorldWith({ 'b.txt': 'bad' })
    const flow = workflow('bad', { input: { text: file() } }, async (input) => fragile(input.text))
    const input = { text: await world.data.scan('/texts/b.txt') } as never
    await world.run(flow, input)
    await world.run(flow, input)
    expect(world.took()).toHaveLength(2)
  })

  it('is neither read nor written with --no-cache, and only written with --refresh', async () => {
    aWorldWith({ 'a.txt': 'one' })
    const input = { text: await world.data.scan('/texts/a.txt') } as never
    const run = async (cache: 'on' | 'off' | 'refresh') => {
      world.settings = { ...world.settings, cache }
      await world.run(one(measure as never), input)
      return world.took().length
    }
    expect([
      await run('off'),
      await run('on'),
      await run('on'),
      await run('off'),
      await run('refresh'),
      await run('on'),
    ]).toEqual([1, 1, 0, 1, 1, 0])
  })
})

describe('questions', () => {
  it('are put again after a crash, and an answer counts once', async () => {
    world = new World()
    const asks = workflow('asks', async () => run.ask({ ok: json<boolean>() }, { title: 'ok?' }))
    const first = await world.run(asks)
    expect(first.state).toBe('waiting')
    await world.crash()
    await world.process.journal.answer(first.id, 0, '{"ok":true}', 'me', world.clock.now())
    const second = await world.resume(first.id, asks)
    expect({ state: second.state, output: second.output }).toEqual({
      state: 'succeeded',
      output: { ok: true },
    })
    const third = await world.resume(first.id, asks)
    expect(third.output).toEqual({ ok: true })
  })

  it('stay open where the answer does not fit', async () => {
    world = new World()
    const asks = workflow('asks', async () => run.ask({ n: json<number>() }, { title: 'how many?' }))
    const first = await world.run(asks)
    await world.process.journal.answer(first.id, 0, '{}', 'me', world.clock.now())
    const second = await world.resume(first.id, asks)
    expect(['waiting', 'succeeded']).toContain(second.state)
  })
})
