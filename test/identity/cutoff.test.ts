import { beforeEach, describe, expect, it } from 'vitest'
import { dir, file, json } from '../../src/flow/schema.ts'
import { task } from '../../src/flow/task.ts'
import type { Dir, File } from '../../src/flow/values.ts'
import { workflow } from '../../src/flow/workflow.ts'
import type { TaskContext } from '../../src/model/task-context.ts'
import { World } from '../../src/testing/world.ts'

/** Early cutoff: where outputs have the digests that they had before, nothing downstream is executed. */

let world: World
let salt = ''
beforeEach(() => {
  world = new World()
  salt = ''
  for (const [name, content] of Object.entries({
    'a.txt': 'one two',
    'b.txt': 'three',
    'c.txt': 'four five',
  }))
    write(`/texts/${name}`, content)
})

const write = (path: string, content: string): void =>
  world.data.files.write(path, new TextEncoder().encode(content))
const text = (given: File): string => new TextDecoder().decode(world.data.files.file(given.at ?? '')?.bytes)

const initial = task('initial', { output: { letter: file() } }, (given: File, { out }: TaskContext) => {
  write(out['letter'] as string, text(given)[0] ?? '')
})
const join = task('join', { output: { joined: file() } }, (letters: Dir, { out }: TaskContext) => {
  write(out['joined'] as string, String(letters.entries))
})
const report = task('report', { output: { text: file() } }, (all: File, { out }: TaskContext) => {
  write(out['text'] as string, `report of ${text(all)}`)
})
const last = task('last', { output: { size: json<number>() } }, (given: File) => text(given).length)

const inner = workflow('inner', { input: { letters: dir() } }, async ({ letters }) => join(letters).joined)
const outer = (step = initial, combine = join) =>
  workflow('outer', { input: { texts: dir() } }, async ({ texts }) => {
    const { letter } = step.map(texts)
    const { joined } = combine(letter)
    return last(report(joined).text).size
  })
const nested = workflow('nested', { input: { texts: dir() } }, async ({ texts }) => {
  const all = await inner({ letters: initial.map(texts).letter })
  return last(report(all).text).size
})

async function ran(flow: ReturnType<typeof outer> | typeof nested): Promise<string[]> {
  world.took()
  const result = await world.run(flow, { texts: await world.data.scan('/texts') } as never)
  if (result.error !== undefined) throw new Error(result.error.message)
  return world
    .took()
    .map((call) => call.replace(/\(d[0-9a-f]+\)/, '(directory)'))
    .sort()
}

const everything = [
  'initial(a.txt)',
  'initial(b.txt)',
  'initial(c.txt)',
  'join(directory)',
  'last(text)',
  'report(joined)',
]

describe('nothing downstream is executed', () => {
  it('where a map gives the directory that it gave before', async () => {
    expect(await ran(outer())).toEqual(everything)
    write('/texts/b.txt', 'three, corrected')
    expect(await ran(outer())).toEqual(['initial(b.txt)'])
  })

  it('where a combine gives the file that it gave before', async () => {
    await ran(outer())
    write('/texts/b.txt', 'other')
    expect(await ran(outer())).toEqual(['initial(b.txt)', 'join(directory)'])
  })

  it('where the code of a map is edited, and its results are what they were', async () => {
    await ran(outer())
    expect(await ran(outer(initial.options({ version: '2' })))).toEqual(everything.slice(0, 3))
  })

  it('where the code of a combine is edited, and its result is what it was', async () => {
    await ran(outer())
    expect(await ran(outer(initial, join.options({ version: '2' })))).toEqual(['join(directory)'])
  })

  it('of a child workflow whose result is what it was', async () => {
    expect(await ran(nested)).toEqual(everything)
    write('/texts/b.txt', 'other')
    expect(await ran(nested)).toEqual(['initial(b.txt)', 'join(directory)'])
    write('/texts/b.txt', 'once more')
    expect(await ran(nested)).toEqual(['initial(b.txt)'])
  })

  it('of another workflow that makes the same calls', async () => {
    await ran(outer())
    expect(await ran(nested)).toEqual([])
  })
})

describe('a result that varies', () => {
  const varied = task('varied', (given: File) => `${given.size}${salt}`)
  const flow = (step = varied) =>
    workflow('vary', { input: { texts: file() } }, async ({ texts }) => step(texts as never))
  const once = async (cache: 'on' | 'refresh', step = varied): Promise<unknown> => {
    world.settings = { ...world.settings, cache }
    return (await world.run(flow(step), { texts: await world.data.scan('/texts/a.txt') } as never)).output
  }
  const variations = () => world.process.entries.variations({ limit: 9 })

  it('is recorded, and what a person had made anew is what all get from then on', async () => {
    expect([await once('on'), await once('on'), await variations()]).toEqual(['7', '7', []])
    expect([await once('refresh'), await variations()]).toEqual(['7', []])
    salt = ' again'
    expect([await once('on'), await once('refresh'), await once('on')]).toEqual(['7', '7 again', '7 again'])
    expect((await variations()).map(({ name, call }) => [name, call])).toEqual([['varied', 0]])
  })

  it('is no surprise where the task says so', async () => {
    const random = varied.options({ random: true })
    await once('on', random)
    salt = ' again'
    await once('refresh', random)
    expect(await variations()).toEqual([])
  })
})

it('a result whose files are gone is made once more, and then kept', async () => {
  const flow = workflow('one', { input: { texts: file() } }, async ({ texts }) => initial(texts).letter)
  const input = async () => ({ texts: await world.data.scan('/texts/a.txt') }) as never
  const { output } = await world.run(flow, await input())
  world.data.lose((output as File).digest)
  salt = 'x'
  await world.run(flow, await input())
  await world.run(flow, await input())
  expect(world.took()).toEqual(['initial(a.txt)', 'initial(a.txt)'])
})

it('tells what was saved', async () => {
  const flow = workflow('one', { input: { texts: file() } }, async ({ texts }) => last(texts))
  const input = { texts: await world.data.scan('/texts/a.txt') } as never
  const handle = await world.start(flow, input)
  const { executor } = world.process
  while (executor.open.size === 0) await world.clock.settle()
  // what it waits for a worker is no cost of its own
  await world.clock.advance(1000)
  for (const id of executor.open.keys()) executor.start(id)
  await world.clock.advance(5000)
  expect((await world.finish(handle)).savedMs).toBe(0)
  expect((await world.run(flow, input)).savedMs).toBe(5000)
})
