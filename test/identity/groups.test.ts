import { describe, expect, it } from 'vitest'
import { dir, json } from '../../src/flow/schema.ts'
import { task } from '../../src/flow/task.ts'
import type { Dir } from '../../src/flow/values.ts'
import { workflow } from '../../src/flow/workflow.ts'
import { World } from '../../src/testing/world.ts'

/** The world under test: tasks read its files. */
let world: World

const write = (path: string, content: string): void =>
  world.data.files.write(path, new TextEncoder().encode(content))

/** How many files a directory has: a group is known by what is in it. */
const size = task('size', { output: { files: json<number>() } }, (given: Dir) => given.entries)

type By = NonNullable<Parameters<typeof size.map>[1]>['by']

const grouping = (by: By, include?: string) =>
  workflow('grouping', { input: { days: dir() } }, async ({ days }) => {
    const sizes = size.map(days, {
      ...(by !== undefined && { by }),
      ...(include !== undefined && { include }),
    })
    return { files: await sizes.files.all() }
  })

async function ran(flow: ReturnType<typeof grouping>) {
  world.took()
  const result = await world.run(flow, { days: await world.data.scan('/days') } as never)
  if (result.error !== undefined) throw new Error(result.error.message)
  const { files } = result.output as { readonly files: readonly number[] }
  return { files, executed: world.took().length, reused: result.reused }
}

function aWorldOfDays(): void {
  world = new World()
  for (const day of ['2012/01-01', '2012/01-02', '2012/02-01', '2013/01-01']) write(`/days/${day}.csv`, day)
  write('/days/README.md', 'no day')
}

const byMonth = /^(\d{4})\/(\d{2})-/

describe('a map by groups', () => {
  it('makes one call for each of what an expression captures, and leaves out what it does not match', async () => {
    aWorldOfDays()
    expect(await ran(grouping(byMonth))).toEqual({ files: [2, 1, 1], executed: 3, reused: 0 })
    expect(await ran(grouping(byMonth))).toEqual({ files: [2, 1, 1], executed: 0, reused: 3 })
  })

  it('executes the groups in which a file was added, changed or deleted; one that has no file any more is gone', async () => {
    aWorldOfDays()
    await ran(grouping(byMonth))
    write('/days/2012/02-02.csv', 'new')
    expect(await ran(grouping(byMonth))).toEqual({ files: [2, 2, 1], executed: 1, reused: 2 })
    write('/days/2012/01-02.csv', 'corrected')
    expect(await ran(grouping(byMonth))).toEqual({ files: [2, 2, 1], executed: 1, reused: 2 })
    world.data.files.remove('/days/2012/01-01.csv')
    world.data.files.remove('/days/2013/01-01.csv')
    expect(await ran(grouping(byMonth))).toEqual({ files: [1, 2], executed: 1, reused: 1 })
  })

  it('takes a function of the path too, and does not run again only because it is another', async () => {
    aWorldOfDays()
    expect(await ran(grouping((path) => /^\d{4}/.exec(path)?.[0]))).toMatchObject({
      files: [3, 1],
      executed: 2,
    })
    const other = (path: string) => (path.endsWith('.csv') ? path.slice(0, 4) : null)
    expect(await ran(grouping(other))).toEqual({ files: [3, 1], executed: 0, reused: 2 })
    expect(await ran(grouping((path) => (path.startsWith('2012') ? '2012' : undefined)))).toEqual({
      files: [3],
      executed: 0,
      reused: 1,
    })
  })

  it('refuses a group that is no name', async () => {
    aWorldOfDays()
    await expect(ran(grouping(() => '../out'))).rejects.toThrow(/"\.\.\/out" is no name for a group/)
    await expect(ran(grouping(() => ''))).rejects.toThrow(/"" is no name for a group/)
  })
})

describe('a map with include', () => {
  it('takes only files that a glob matches, by name or by path', async () => {
    aWorldOfDays()
    expect(await ran(grouping(/^\d{4}/, '*-01.csv'))).toMatchObject({ files: [2, 1], executed: 2 })
    expect(await ran(grouping(/^\d{4}/, '2012/**'))).toMatchObject({ files: [3], executed: 1 })
  })
})

it('a map over files takes nothing of one over groups of them, though the task is the same', async () => {
  world = new World()
  write('/days/a/1.csv', 'one')
  write('/days/a/2.csv', 'two')
  const kind = task('kind', { output: { is: json<string>() } }, (given: { readonly entries?: number }) =>
    given.entries === undefined ? 'file' : 'group',
  )
  const kinds = (by?: RegExp) =>
    workflow('kinds', { input: { days: dir() } }, async ({ days }) => {
      const mapped = kind.map(days as never, { ...(by !== undefined && { by }) })
      return await mapped.is.all()
    })
  const ran = async (by?: RegExp) =>
    (await world.run(kinds(by), { days: await world.data.scan('/days') } as never)).output
  expect([await ran(/^(a)\//), await ran(), await ran(/^(a)\//)]).toEqual([
    ['group'],
    ['file', 'file'],
    ['group'],
  ])
})
