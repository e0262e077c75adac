import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Attempt } from '../../ports/executor.ts'
import { ExecutorBench } from '../../testing/executors/executor-bench.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openInlineExecutor } from './executor.ts'

let bench: ExecutorBench

beforeEach(async () => {
  bench = await ExecutorBench.openPlain(openInlineExecutor)
})
afterEach(() => bench.close())

const task = taskSpec('t', { kind: 'function', name: 't' })
const attempt = (fn: NonNullable<Attempt['fn']>, more: Partial<Attempt> = {}): Attempt =>
  bench.attempt({ task, inputs: { args: [] }, fn }, more)

/** Tasks that end when they are told to. */
function gated(names: readonly string[], more: (name: string) => Partial<Attempt>) {
  const begun: string[] = []
  const open = new Map<string, () => void>()
  const attempts = names.map((name) => {
    const fn = () =>
      new Promise<void>((resolve) => {
        begun.push(name)
        open.set(name, resolve)
      })
    return attempt(fn, more(name))
  })
  bench.executor.submit(attempts)
  const end = async (name: string): Promise<void> => {
    open.get(name)?.()
    await bench.heard.end(attempts[names.indexOf(name)]?.id ?? '')
    await bench.clock.settle()
  }
  const first = async (count: number): Promise<void> => {
    await bench.heard.until(
      () => attempts.filter(({ id }) => bench.heard.of(id).started > 0).length === count,
    )
    await bench.clock.settle()
  }
  return { begun, attempts, end, first }
}

describe('attempts that are submitted ahead', () => {
  it('get the places of those that end, in their order', async () => {
    const { begun, attempts, end, first } = gated(['a', 'b', 'c', 'd', 'e'], (name) =>
      name > 'b' ? { behind: true } : {},
    )
    await first(2)
    await end('b')
    expect(begun).toEqual(['a', 'b', 'c'])
    await end('a')
    await end('c')
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e'])
    await end('d')
    await end('e')
    expect(attempts.map(({ id }) => bench.heard.of(id).end?.kind)).toEqual(attempts.map(() => 'succeeded'))
  })

  it('get no place of another run, and leave none when they are cancelled before they had one', async () => {
    const { begun, attempts, end, first } = gated(['a', 'b', 'c', 'd'], (name) => ({
      run: name === 'b' ? 'r2' : 'r1',
      ...(name > 'b' && { behind: true }),
    }))
    await first(2)
    await end('b')
    expect(begun).toEqual(['a', 'b'])
    bench.executor.cancel(attempts[2]?.id ?? '', 0)
    expect(await bench.heard.end(attempts[2]?.id ?? '')).toEqual({ kind: 'cancelled' })
    expect(begun).toEqual(['a', 'b'])
    await end('a')
    expect(begun).toEqual(['a', 'b', 'd'])
    await end('d')
  })

  it('are asked for where calls are short', async () => {
    expect(bench.executor.ahead?.()).toBe(0)
    for (let i = 0; i < 100; i++) {
      const one = attempt(() => 1)
      bench.executor.submit([one])
      await bench.heard.end(one.id)
    }
    expect(bench.executor.ahead?.()).toBeGreaterThan(0)
  })
})

it('lets nothing of a run begin that is held back, and what was to begin goes first then', async () => {
  const order: string[] = []
  const named = (name: string, more: Partial<Attempt> = {}) => attempt(() => order.push(name), more)
  bench.executor.holdBack?.('r1', 'new')
  const held = [named('a'), named('b')]
  const other = named('c', { run: 'r2' })
  bench.executor.submit([...held, other])
  await bench.heard.end(other.id)
  expect(order).toEqual(['c'])
  const later = named('d')
  bench.executor.submit([later])
  bench.executor.holdBack?.('r1', false)
  await Promise.all([...held, later].map(({ id }) => bench.heard.end(id)))
  expect(order).toEqual(['c', 'a', 'b', 'd'])
})

it('gives back what has not begun where all of a run is held back, also what comes then', async () => {
  const order: string[] = []
  const named = (name: string, more: Partial<Attempt> = {}) => attempt(() => order.push(name), more)
  const waits = named('a')
  bench.executor.submit([waits])
  bench.executor.holdBack?.('r1', 'all')
  const later = [named('b'), named('c', { run: 'r2' })]
  bench.executor.submit(later)
  const ends = await Promise.all([waits, ...later].map(({ id }) => bench.heard.end(id)))
  expect(ends.map(({ kind }) => kind)).toEqual(['unbegun', 'unbegun', 'succeeded'])
  bench.executor.holdBack?.('r1', false)
  const last = named('d')
  bench.executor.submit([last])
  await bench.heard.end(last.id)
  expect(order).toEqual(['c', 'd'])
})
