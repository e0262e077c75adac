import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { DirRef, FileRef } from '../../model/refs.ts'
import { readInput } from './inputs.ts'

const schema = z.toJSONSchema(
  z.object({
    size: z.int().default(1),
    mode: z.enum(['fast', 'slow']).optional(),
    day: z.iso.date().optional(),
    box: z.union([z.object({ west: z.number() }), z.null()]).optional(),
    limit: z.number().nullable().optional(),
    levels: z.union([z.number(), z.array(z.number())]).optional(),
    raw: z.custom().meta({ almanac: 'value' }).optional(),
  }),
  { io: 'input', unrepresentable: 'any' },
)

const never = (): Promise<never> => Promise.reject(new Error('nothing lies elsewhere'))

/** What is read of the words, or why they are refused. */
const read = (...inputs: string[]): Promise<unknown> => readBy(schema, ...inputs)

const readBy = (schema: Parameters<typeof readInput>[0], ...inputs: string[]): Promise<unknown> => {
  return readInput(schema, { inputs }, never, never).catch((error: Error) => error.message)
}

it('takes what fits, and leaves what JSON Schema cannot say to the run', async () => {
  expect(await read('size=2', 'mode=slow', 'day=2026-01-31', 'box={"west":1}', 'raw=x')).toEqual({
    size: 2,
    mode: 'slow',
    day: '2026-01-31',
    box: { west: 1 },
    raw: 'x',
  })
})

it('takes files of lists by their paths, however deep, and says which is none', async () => {
  const files = {
    type: 'array',
    items: { anyOf: [{ type: 'array', items: { almanac: 'file' } }, { type: 'null' }] },
  }
  const scan = (path: string) =>
    Promise.resolve(
      path.endsWith('/dir') ? new DirRef('d', 0, 0, path) : new FileRef('f', 'a', 1, false, path),
    )
  const taken = (text: string): Promise<unknown> =>
    readInput({ properties: { files } }, { inputs: [`files=${text}`] }, scan, never).catch(
      (error: Error) => error.message,
    )
  const at = (name: string) => new FileRef('f', 'a', 1, false, resolve(name))
  expect(await taken('[["a.txt", "b.txt"], null, []]')).toEqual({
    files: [[at('a.txt'), at('b.txt')], null, []],
  })
  expect(await taken('[[], ["a.txt", "dir"]]')).toBe(
    'Input files.1.1: dir is a directory, and a file is needed',
  )
})

it('takes files by their paths within what has names, and those that are defaults', async () => {
  const path = { anyOf: [{ almanac: 'file' }, { almanac: 'dir' }] } as const
  const properties = {
    scene: { type: 'object', properties: { observed: { almanac: 'file' }, name: { type: 'string' } } },
    named: { type: 'object', additionalProperties: { type: 'array', items: path } },
    either: path,
    raw: { almanac: 'dir', default: '/raw/dir' },
  } as const
  const scan = (path: string) =>
    Promise.resolve(
      path.endsWith('/dir') ? new DirRef('d', 0, 0, path) : new FileRef('f', 'a', 1, false, path),
    )
  const at = (name: string) => new FileRef('f', 'a', 1, false, resolve(name))
  const inputs = ['scene={"observed":"a","name":"a"}', 'named={"x":["b"]}', 'either=2024']
  const taken = (await readInput({ properties }, { inputs }, scan, never)) as object
  expect({ ...taken }).toEqual({
    scene: { observed: at('a'), name: 'a' },
    named: { x: [at('b')] },
    either: at('2024'),
    raw: new DirRef('d', 0, 0, '/raw/dir'),
  })
  const given = await readInput({ properties }, { inputs: ['raw=other/dir'] }, scan, never)
  expect(given).toEqual({ raw: new DirRef('d', 0, 0, resolve('other/dir')) })
  expect(await readBy({ properties }, 'named=a')).toBe('Input named: "a" is no JSON: write {"name": …}')
})

it('takes files by their paths in tuples, in whichever alternative is meant, and where a schema names itself', async () => {
  const file = z.custom().meta({ almanac: 'file' })
  const tree = z.object({
    file,
    get child() {
      return tree.optional()
    },
  })
  const inputs = {
    pair: z.tuple([file, z.string()], file),
    either: z.union([z.object({ name: z.string() }), z.object({ file })]),
    tagged: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('text'), of: z.string() }),
      z.object({ kind: z.literal('file'), of: file }),
    ]),
    tree,
  }
  const required = z.toJSONSchema(z.object(inputs).partial(), { io: 'input', unrepresentable: 'any' })
  const at = (name: string) => new FileRef('f', 'a', 1, false, resolve(name))
  const scan = (path: string) => Promise.resolve(at(path))
  const taken = async (input: string) => ({
    ...((await readInput(required, { inputs: [input] }, scan, never)) as object),
  })
  expect(await taken('pair=["a","b","c"]')).toEqual({ pair: [at('a'), 'b', at('c')] })
  expect(await taken('either={"file":"a"}')).toEqual({ either: { file: at('a') } })
  expect(await taken('either={"name":"a"}')).toEqual({ either: { name: 'a' } })
  expect(await taken('tagged={"kind":"file","of":"a"}')).toEqual({ tagged: { kind: 'file', of: at('a') } })
  expect(await taken('tagged={"kind":"text","of":"a"}')).toEqual({ tagged: { kind: 'text', of: 'a' } })
  expect(await taken('tree={"file":"a","child":{"file":"b"}}')).toEqual({
    tree: { file: at('a'), child: { file: at('b') } },
  })
})

it('refuses what does not fit, by its name and path', async () => {
  expect(await read('size=1.5')).toBe('Input size: Invalid input: expected int, received number')
  expect(await read('mode=quick')).toBe('Input mode: Invalid option: expected one of "fast"|"slow"')
  expect(await read('day=2026-13-01')).toBe('Input day: Invalid ISO date')
  expect(await read('box={"wst":1}')).toBe('Input box: west: it is missing')
})

it('refuses inputs of a workflow that takes none, in either language', async () => {
  expect(await readBy(undefined, 'size=5')).toBe('Input size: the workflow takes no inputs')
  expect(await readBy(z.toJSONSchema(z.object({})), 'size=5')).toBe(
    'Input size: the workflow takes no inputs',
  )
  expect(await readBy(undefined)).toBe(undefined)
})

it('takes any names where the schema does not tell which there are', async () => {
  expect(await readBy({}, 'size=5')).toEqual({ size: 5 })
  expect(await readBy(z.toJSONSchema(z.looseObject({ a: z.number() })), 'a=1', 'b=x')).toEqual({
    a: 1,
    b: 'x',
  })
})

it('takes numbers where there may be something else, and what else there may be as JSON', async () => {
  expect(await read('limit=null', 'levels=[1, 2.5]')).toEqual({ limit: null, levels: [1, 2.5] })
  expect(await read('limit=.5', 'levels=1e3')).toEqual({ limit: 0.5, levels: 1000 })
  expect(await read('size=null')).toBe('Input size: Invalid input: expected number, received null')
  expect(await read('size=none')).toBe('Input size: "none" is no number')
  expect(await read('limit=none')).toBe('Input limit: "none" is no number|null')
  expect(await read('limit=')).toBe('Input limit: "" is no number|null')
})

it('of a program beside it takes values that JSON does not have, and of a file of people what is written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-params-'))
  const params = join(folder, 'params.json')
  const types = { properties: { x: { type: 'number' }, n: { type: 'integer' }, any: {} } }
  const coded = {
    x: { $: 'number', v: 'NaN' },
    n: { $: 'bigint', v: '1180591620717411303424' },
    any: [
      { $: 'date', v: '2026-01-31T00:00:00.000Z' },
      { $: 'object', v: { $: 1 } },
    ],
  }
  const taken = (given: object, isCoded: boolean): Promise<unknown> =>
    writeFile(params, JSON.stringify(given))
      .then(() => readInput(types, { params, isCoded, inputs: [] }, never, never))
      .catch((error: Error) => error.message)
  try {
    expect(await taken(coded, true)).toEqual({
      x: Number.NaN,
      n: 2n ** 70n,
      any: [new Date('2026-01-31'), { $: 1 }],
    })
    expect(await taken({ any: coded.any }, false)).toEqual({ any: coded.any })
    expect(await taken({ x: 'three' }, true)).toMatch(/^Input x: .*expected number/)
  } finally {
    await rm(folder, { recursive: true })
  }
})
