import { describe, expectTypeOf, it } from 'vitest'
import type { DirRef } from '../model/refs.ts'
import type { TaskContext } from '../model/task-context.ts'
import { command } from './command.ts'
import type { DirOf, Future } from './future.ts'
import { all, map } from './list.ts'
import { python } from './python.ts'
import { run } from './run.ts'
import { dir, file, json } from './schema.ts'
import { task } from './task.ts'
import type { Dir, File } from './values.ts'
import { type Workflow, workflow } from './workflow.ts'

const split = task('split', (text: string) => ({ words: text.split(' '), at: new Date(0) }))
const join = task('join', (words: readonly string[], by: string) => words.join(by))
const noted = task('noted', async (n: number, { log }: TaskContext) => {
  log(`${n}`)
  return { n }
})
const table = task('table', { output: { csv: file(), rows: json<number>() } }, (_: number[]) => 1)
const index = python.task({
  run: '/steps.py:index',
  input: { file: file(), level: json<number>() },
  output: { refs: file(), found: json<{ readonly ok: boolean }>() },
})
const sort = command.task({ name: 'sort', run: ['sort', '{in.text}'], input: { text: file() } })

/** Type tests are about what the compiler says; their bodies never run. */
const typed = (sentence: string, _body: () => unknown): void => it(sentence, () => undefined)

describe('types follow futures', () => {
  typed('a call gives the future of what the function gives', () => {
    expectTypeOf(split('a b')).toExtend<PromiseLike<{ words: string[]; at: Date }>>()
    expectTypeOf(noted(1)).toExtend<PromiseLike<{ n: number }>>()
  })

  typed('fields of a future are futures', () => {
    expectTypeOf(split('a b').words).toExtend<PromiseLike<string[]>>()
    expectTypeOf(split('a b').words[0]).toExtend<PromiseLike<string> | undefined>()
  })

  typed('arguments may be values, futures, or structures of both', () => {
    void join(split('a b').words, '-')
    void join([split('a').words[0] as Future<string>, 'x'], '-')
    // @ts-expect-error a number is no text
    void join(split('a b').words, 1)
    // @ts-expect-error the future of a date is no list of texts
    void join(split('a b').at, '-')
    // @ts-expect-error an argument is missing
    void join(['a'])
  })

  typed('the context is no argument', () => {
    expectTypeOf(noted).parameter(0).toExtend<number | PromiseLike<number>>()
    // @ts-expect-error nobody passes a context
    noted(1, {})
  })

  typed('named outputs are what a result has', () => {
    expectTypeOf(table([1])).toExtend<PromiseLike<{ csv: File; rows: number }>>()
    expectTypeOf(table([1]).csv).toExtend<PromiseLike<File>>()
  })

  typed('a function gives its declared value, or an object of several', () => {
    const two = { a: json<number>(), b: json<string>(), f: file() }
    expectTypeOf(task('two', { output: two }, () => ({ a: 1, b: 'x' }))().b).toExtend<PromiseLike<string>>()
    // @ts-expect-error b is missing
    task('two', { output: two }, () => ({ a: 1 }))
    // @ts-expect-error the one value is a number
    task('one', { output: { n: json<number>() } }, () => ({ n: 1 }))
  })

  typed('named inputs are checked', () => {
    const made = table([1])
    expectTypeOf(index({ file: made.csv, level: made.rows }).found.ok).toExtend<PromiseLike<boolean>>()
    // @ts-expect-error an input is missing
    index({ file: made.csv })
    // @ts-expect-error a number is no file
    index({ file: 3, level: 1 })
    // @ts-expect-error there is no such input
    index({ file: made.csv, level: 1, other: 1 })
  })
})

describe('types follow maps', () => {
  typed('over a list: a future each', () => {
    const futures = noted.map([1, 2])
    expectTypeOf(futures[0]).toExtend<PromiseLike<{ n: number }> | undefined>()
    expectTypeOf(futures.all()).toExtend<PromiseLike<{ n: number }[]>>()
    expectTypeOf(noted.map(new Set([1, 2])).all()).toExtend<PromiseLike<{ n: number }[]>>()
    // @ts-expect-error they are texts
    noted.map(new Set(['1']))
  })

  typed('over a directory: a directory for each output', () => {
    const over = {} as Dir
    const mapped = index.map(over, { with: { level: 3 } })
    expectTypeOf(mapped.refs).toExtend<PromiseLike<DirRef>>()
    expectTypeOf(mapped.found).toExtend<PromiseLike<DirOf<{ readonly ok: boolean }>>>()
    expectTypeOf(mapped.found.all()).toExtend<PromiseLike<{ readonly ok: boolean }[]>>()
    expectTypeOf(over.filter(mapped.found, ({ ok }) => ok)).toExtend<PromiseLike<Dir>>()
    // @ts-expect-error the value has no such field
    void over.filter(mapped.found, ({ wrong }) => wrong)
    expectTypeOf(sort.map(mapped.refs)).toExtend<PromiseLike<unknown>>()
  })

  typed('of several steps: what the function gives', () => {
    expectTypeOf(map([1, 2], async (n) => noted(n)).all()).toExtend<PromiseLike<{ n: number }[]>>()
  })

  typed('all of a structure is the structure of all', () => {
    expectTypeOf(all({ a: noted(1), b: [split('x').words] })).toExtend<
      PromiseLike<{ a: { n: number }; b: readonly string[][] }>
    >()
  })
})

describe('types follow workflows', () => {
  const parent = workflow('parent', { input: { raw: dir(), n: json<number>() } }, async ({ raw, n }) => {
    expectTypeOf(raw).toEqualTypeOf<Dir>()
    expectTypeOf(n).toEqualTypeOf<number>()
    return { n: noted(n).n, file: table([n]).csv }
  })

  typed('futures in a result are values in the output', () => {
    expectTypeOf(parent).toExtend<Workflow<{ raw: Dir; n: number }, { n: number; file: File }>>()
    expectTypeOf(parent({ raw: {} as Dir, n: 1 }).n).toExtend<PromiseLike<number>>()
    // @ts-expect-error an input is missing
    parent({ n: 1 })
  })

  typed('a workflow in Python takes inputs by name, or none', () => {
    void [python.workflow('/flow.py:main')(), python.workflow('/flow.py:main').key('a')({ n: 1 })]
    // @ts-expect-error an input is missing
    void python.workflow<{ n: number }>('/flow.py:main')()
  })

  typed('answers are what the schema says', () => {
    expectTypeOf(run.ask({ ok: json<boolean>() }, { title: 'ok?' })).toExtend<PromiseLike<{ ok: boolean }>>()
    expectTypeOf(run.now()).toExtend<PromiseLike<Date>>()
  })
})
