/* biome-ignore-all lint/suspicious/noConsole: what becomes of the console is what is tested */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Attempt, AttemptId } from '../../ports/executor.ts'
import { ExecutorBench } from '../../testing/executors/executor-bench.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openInlineExecutor } from '../inline/executor.ts'

const methods = console as unknown as Record<string, (...args: unknown[]) => void>
const real = { ...methods }
const names = ['log', 'warn', 'table', 'group', 'count']
let printed: unknown[][] = []
let bench: ExecutorBench

beforeEach(async () => {
  printed = []
  for (const name of names) methods[name] = (...args) => printed.push([name, ...args])
  bench = await ExecutorBench.openPlain(openInlineExecutor)
})

afterEach(async () => {
  await bench.close()
  for (const name of names) methods[name] = real[name] as () => void
})

const task = taskSpec('t', { kind: 'function', name: 't' })
const submit = (fn: NonNullable<Attempt['fn']>): AttemptId => {
  const attempt = bench.attempt({ task, inputs: { args: [] }, fn })
  bench.executor.submit([attempt])
  return attempt.id
}

describe('the console of a task', () => {
  it('goes to its log and nowhere else', async () => {
    const id = submit(async () => {
      console.log('a %d', 1, { b: [2] })
      console.error('broken')
      await Promise.resolve()
      console.warn('two\nlines')
      console.group('group')
      console.info('inside')
      console.groupEnd()
      console.count()
      console.count()
      console.table([{ x: 1 }])
      console.dir({ deep: true })
    })
    await bench.heard.end(id)
    expect(bench.heard.texts(id, 'stdout')).toEqual([
      'a 1 { b: [ 2 ] }',
      'group',
      '  inside',
      'default: 1',
      'default: 2',
      '┌─────────┬───┐',
      '│ (index) │ x │',
      '├─────────┼───┤',
      '│ 0       │ 1 │',
      '└─────────┴───┘',
      '{ deep: true }',
    ])
    expect(bench.heard.texts(id, 'stderr')).toEqual(['broken', 'two', 'lines'])
    expect(printed).toEqual([])
  })

  it("is told apart from that of tasks which run at the same time, and from everybody else's", async () => {
    const gates: (() => void)[] = []
    const say = (name: string) => async () => {
      console.log(`${name} 1`)
      await new Promise<void>((resolve) => {
        gates.push(resolve)
      })
      console.log(`${name} 2`)
    }
    const ids = [submit(say('a')), submit(say('b'))]
    await bench.heard.until(() => bench.heard.of(ids[1] ?? '').lines.length === 1)
    console.log('outside')
    for (const open of gates.reverse()) open()
    for (const id of ids) await bench.heard.end(id)
    expect(ids.map((id) => bench.heard.texts(id))).toEqual([
      ['a 1', 'a 2'],
      ['b 1', 'b 2'],
    ])
    expect(printed).toEqual([['log', 'outside']])
  })

  it('is the real one again after the end of the attempt', async () => {
    let late: () => void = () => undefined
    const id = submit(async () => {
      const bound = new Promise<void>((resolve) => {
        late = resolve
      })
      void bound.then(() => console.log('late'))
    })
    await bench.heard.end(id)
    late()
    await bench.clock.settle()
    expect(bench.heard.texts(id)).toEqual([])
    expect(printed).toEqual([['log', 'late']])
  })
})

describe('the console of the process', () => {
  it('is the very one it was when the last executor has closed', async () => {
    const ours = { ...methods }
    const other = await ExecutorBench.openPlain(openInlineExecutor)
    await other.close()
    expect(names.map((name) => methods[name] === ours[name])).toEqual(names.map(() => true))
    await bench.close()
    console.log('x')
    expect(printed).toEqual([['log', 'x']])
    expect(
      Object.entries(real).filter(([name, method]) => !names.includes(name) && methods[name] !== method),
    ).toEqual([])
  })

  it('keeps what somebody else put in place meanwhile', async () => {
    const theirs = (): void => undefined
    methods['log'] = theirs
    await bench.close()
    expect(methods['log']).toBe(theirs)
  })
})
