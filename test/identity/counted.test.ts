import { expect, it } from 'vitest'
import { dir, json } from '../../src/flow/schema.ts'
import { task } from '../../src/flow/task.ts'
import type { File } from '../../src/flow/values.ts'
import { workflow } from '../../src/flow/workflow.ts'
import { World } from '../../src/testing/world.ts'

const write = (world: World, path: string, content: string): void =>
  world.data.files.write(path, new TextEncoder().encode(content))

it('of two files of one name that a task reads each counts', async () => {
  const world = new World()
  write(world, '/a/p.txt', 'a')
  write(world, '/b/p.txt', 'b')
  const read = task('read', { cache: true, reads: ['/a/p.txt', '/b/p.txt'] }, () => 1)
  const reads = workflow('reads', async () => await read())
  const executed = async (): Promise<number> => (await world.run(reads)).executed
  const all = [await executed(), await executed()]
  write(world, '/a/p.txt', 'edited')
  all.push(await executed())
  write(world, '/b/p.txt', 'edited')
  all.push(await executed(), await executed())
  expect(all).toEqual([1, 0, 1, 1, 0])
})

it('entries of a map are executed again when they are older than their task may be kept for', async () => {
  const world = new World()
  write(world, '/days/1.csv', 'one')
  write(world, '/days/2.csv', 'two')
  const size = task(
    'size',
    { cache: { for: '1h' }, output: { bytes: json<number>() } },
    (day: File) => day.size,
  )
  const sizes = workflow('sizes', { input: { days: dir() } }, async ({ days }) => {
    return await size.map(days).bytes.all()
  })
  const executed = async (): Promise<number> =>
    (await world.run(sizes, { days: await world.data.scan('/days') } as never)).executed
  const all = [await executed(), await executed()]
  await world.clock.advance(2 * 3_600_000)
  all.push(await executed(), await executed())
  expect(all).toEqual([2, 0, 2, 0])
})
