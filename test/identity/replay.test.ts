import { describe, expect, it } from 'vitest'
import { all, map, settled } from '../../src/flow/list.ts'
import { run } from '../../src/flow/run.ts'
import { task } from '../../src/flow/task.ts'
import { workflow } from '../../src/flow/workflow.ts'
import { World } from '../../src/testing/world.ts'
import { rule } from './rules.ts'

const fetch = task('fetch', (place: string) => `raw of ${place}`)
const clean = task('clean', (raw: string) => raw.replace('raw', 'clean'))
const cleanEdited = clean.options({ version: '2' })
const count = task('count', (text: string) => text.length)
const countEdited = count.options({ version: '2' })
const check = task('check', (text: string) => text !== '')
const sum = task('sum', (...numbers: number[]) => numbers.reduce((a, b) => a + b, 0))
const add = task('add', (a: number, b: number) => a + b)
const ticket = task('ticket', (after: string) => `ticket after ${after}`)
const wait = task('wait', (branch: string) => branch)

describe('what still holds is kept', () => {
  const chain = workflow('chain', async () => count(clean(fetch('Oslo'))))

  rule('nothing edited: nothing is executed again', { before: chain, again: [], gives: 13 })

  rule('a task edited: it runs again, and what used it only if its result changed', {
    before: chain,
    after: workflow('chain', async () => count(cleanEdited(fetch('Oslo')))),
    again: ['clean("raw of Oslo")'],
    gives: 13,
  })

  rule('the last task edited: only that one runs again', {
    before: chain,
    after: workflow('chain', async () => countEdited(clean(fetch('Oslo')))),
    again: ['count("clean of Oslo")'],
    gives: 13,
  })

  rule('an argument changed: the call and what its result changes', {
    before: chain,
    after: workflow('chain', async () => count(clean(fetch('Bergen')))),
    again: [],
    added: ['fetch("Bergen")', 'clean("raw of Bergen")', 'count("clean of Bergen")'],
    gives: 15,
  })

  rule('a step put in between: it runs, and what comes after only if it gets something else', {
    before: chain,
    after: workflow('chain', async () => {
      const raw = fetch('Oslo')
      if (await check(raw)) return count(clean(raw))
      return 0
    }),
    again: [],
    added: ['check("raw of Oslo")'],
    gives: 13,
  })

  rule('a step taken out: what used it gets what it used', {
    before: chain,
    after: workflow('chain', async () => count(fetch('Oslo'))),
    again: [],
    added: ['count("raw of Oslo")'],
    gives: 11,
  })

  rule('a value awaited first counts as the future did', {
    before: chain,
    after: workflow('chain', async () => {
      const raw = await fetch('Oslo')
      return count(await clean(raw))
    }),
    again: [],
    gives: 13,
  })

  rule('an unused step taken out: nothing runs', {
    before: workflow('extra', async () => {
      await fetch('Rome')
      return count('abc')
    }),
    after: workflow('extra', async () => count('abc')),
    again: [],
    gives: 3,
  })

  rule('calls made in another order: nothing runs', {
    before: workflow('order', async () => add(count('a'), count('bb'))),
    after: workflow('order', async () => {
      const second = count('bb')
      return add(count('a'), second)
    }),
    again: [],
    gives: 3,
  })

  rule('retries, timeouts and priorities are no part of what a task is', {
    before: chain,
    after: workflow('chain', async () =>
      count.options({ retries: 3, timeout: '1h', priority: 9 })(clean(fetch('Oslo'))),
    ),
    again: [],
    gives: 13,
  })

  rule('the order of keys in an argument does not count', {
    before: workflow('keys', async () => size({ a: 1, b: 2 })),
    after: workflow('keys', async () => size({ b: 2, a: 1 })),
    again: [],
    gives: 2,
  })
})

const size = task('size', (value: object) => Object.keys(value).length)
const odd = task('odd', (value: unknown) => String(value))

describe('values that JSON would fold are not the same', () => {
  for (const [name, one, other] of [
    ['NaN and null', Number.NaN, null],
    ['-0 and 0', -0, 0],
    ['a date and its text', new Date(0), new Date(0).toISOString()],
    ['a number and its text', 1, '1'],
    ['undefined and null', undefined, null],
    ['a bigint and a number', 1n, 1],
  ] as const) {
    it(name, async () => {
      const world = new World()
      const first = await world.run(workflow('odd', async () => odd(one)))
      world.took()
      const second = await world.resume(
        first.id,
        workflow('odd', async () => odd(other)),
      )
      expect(second.executed).toBe(1)
    })
  }
})

describe('equal calls', () => {
  rule('are told apart by their count in program order', {
    before: workflow('twice', async () => sum(count('a'), count('a'))),
    again: [],
    gives: 2,
  })

  rule('one more of them: only that one runs', {
    before: workflow('twice', async () => sum(count('a'), count('a'))),
    after: workflow('twice', async () => sum(count('a'), count('a'), count('a'))),
    again: [],
    added: ['count("a")', 'sum(1, 1, 1)'],
    gives: 3,
  })

  rule('in parallel branches are not equals', {
    before: workflow('branches', async () =>
      map(['x', 'y', 'z'], async (branch) => {
        await wait(branch)
        return ticket('any')
      }).all(),
    ),
    again: [],
    gives: ['ticket after any', 'ticket after any', 'ticket after any'],
  })

  rule('a step put into one branch leaves the others alone', {
    before: workflow('branches', async () =>
      map(['x', 'y', 'z'], async (branch) => {
        await wait(branch)
        return ticket('any')
      }).all(),
    ),
    after: workflow('branches', async () =>
      map(['x', 'y', 'z'], async (branch) => {
        await wait(branch)
        if (branch === 'y') await count('inserted')
        return ticket('any')
      }).all(),
    ),
    again: [],
    added: ['count("inserted")'],
    gives: ['ticket after any', 'ticket after any', 'ticket after any'],
  })

  rule('a branch with a key keeps what it remembers when another comes before it', {
    before: workflow('keyed', async () =>
      map(['x', 'y'], (item) => ticket(item), { key: (item) => item }).all(),
    ),
    after: workflow('keyed', async () =>
      map(['new', 'x', 'y'], (item) => ticket(item), { key: (item) => item }).all(),
    ),
    again: [],
    added: ['ticket("new")'],
    gives: ['ticket after new', 'ticket after x', 'ticket after y'],
  })
})

describe('child workflows', () => {
  const child = workflow('child', async () => count(clean(fetch('Oslo'))))
  const childEdited = workflow('child', async () => countEdited(clean(fetch('Oslo'))))

  rule('are entered again, and only their task calls are remembered', {
    before: workflow('parent', async () => sum(child(), 1)),
    after: workflow('parent', async () => sum(childEdited(), 1)),
    again: ['count("clean of Oslo")'],
    gives: 14,
  })

  rule('a changed argument of a child leaves what does not use it', {
    before: workflow('parent', async () => places(['Oslo', 'Rome'])),
    after: workflow('parent', async () => places(['Oslo', 'Bern'])),
    again: [],
    added: ['fetch("Bern")', 'count("raw of Bern")'],
    gives: [11, 11],
  })

  rule('recursion is no matter', {
    before: workflow('recursive', async () => countdown(3)),
    again: [],
    gives: 6,
  })

  function places(names: readonly string[]) {
    return all(names.map((name) => count(fetch(name))))
  }

  async function countdown(n: number): Promise<number> {
    if (n === 0) return 0
    return (await run.stage(`level ${n}`, () => sum(n))) + (await countdown(n - 1))
  }
})

describe('races and first-come loops fall as they fell', () => {
  rule('the winner of a race stays the winner', {
    before: workflow('race', async () => {
      const winner = await Promise.race([wait('a'), wait('b')])
      return ticket(winner)
    }),
    again: [],
    gives: 'ticket after a',
  })

  it('even where the loser was made first and finished last', async () => {
    const race = workflow('race', async () => {
      const winner = await Promise.race([wait('slow'), wait('fast')])
      return ticket(winner)
    })
    const world = new World()
    const handle = await world.start(race)
    await world.clock.settle()
    const [slow, fast] = [...world.process.executor.open.keys()]
    await world.execute(fast as string)
    await world.clock.settle()
    await world.execute(slow as string)
    const first = await world.finish(handle)
    expect(first.output).toBe('ticket after fast')
    world.took()
    const second = await world.resume(first.id, race)
    expect({ output: second.output, executed: world.took() }).toEqual({
      output: 'ticket after fast',
      executed: [],
    })
  })

  it('time and chance are remembered', async () => {
    const clocks = workflow('clocks', async () => ({ now: await run.now(), random: await run.random() }))
    const world = new World()
    const first = await world.run(clocks)
    await world.clock.advance(60_000)
    const second = await world.resume(first.id, clocks)
    expect(second.output).toEqual(first.output)
  })
})

describe('failures', () => {
  let broken = true
  const fragile = task('fragile', (text: string) => {
    if (broken) throw new Error('no such file')
    return text.length
  })
  const caught = workflow('caught', async () => {
    try {
      return await fragile('abc')
    } catch {
      return count('fallback')
    }
  })
  const uncaught = workflow('uncaught', async () => sum(fragile(clean(fetch('Oslo'))), count('x')))

  it('that reach the end uncaught are forgotten by a resume, and only they run again', async () => {
    broken = true
    const world = new World()
    const first = await world.run(uncaught)
    expect({ state: first.state, message: first.error?.message }).toEqual({
      state: 'failed',
      message: 'no such file',
    })
    world.took()
    broken = false
    const second = await world.resume(first.id, uncaught)
    expect({ output: second.output, executed: world.took() }).toEqual({
      output: 14,
      executed: ['fragile("clean of Oslo")', 'sum(13, 1)'],
    })
  })

  it('that were caught are replayed as they were', async () => {
    broken = true
    const world = new World()
    const first = await world.run(caught)
    broken = false
    world.took()
    const second = await world.resume(first.id, caught)
    expect({ output: second.output, executed: world.took() }).toEqual({ output: 8, executed: [] })
  })

  it('that were caught are forgotten too by resume --caught', async () => {
    broken = true
    const world = new World()
    const first = await world.run(caught)
    broken = false
    world.took()
    const second = await world.resume(first.id, caught, { forget: 'caught' })
    expect({ output: second.output, executed: world.took() }).toEqual({
      output: 3,
      executed: ['fragile("abc")'],
    })
  })

  it('nobody awaited fail the run', async () => {
    broken = true
    const world = new World()
    const result = await world.run(
      workflow('ignored', async () => {
        void fragile('abc')
        return count('done')
      }),
    )
    expect({ state: result.state, message: result.error?.message }).toEqual({
      state: 'failed',
      message: 'no such file',
    })
  })

  it('asked for by settled do not', async () => {
    broken = true
    const world = new World()
    const result = await world.run(workflow('settles', async () => settled([fragile('abc'), count('ok')])))
    expect({ state: result.state, output: result.output }).toEqual({
      state: 'succeeded',
      output: [
        { ok: false, error: { code: 'ALM_TASK_FAILED', message: 'no such file' } },
        { ok: true, value: 2 },
      ],
    })
  })

  it('attempts spent before a crash stay spent', async () => {
    broken = true
    const stubborn = fragile.options({ retries: { count: 2, delay: 0, jitter: 0 } })
    const tries = workflow('tries', async () => stubborn('abc'))
    const world = new World()
    const handle = await world.start(tries)
    await world.crashAfter(handle, 2)
    world.took()
    const second = await world.resume(handle.id, tries, { forget: 'none' })
    expect({ state: second.state, executed: world.took() }).toEqual({
      state: 'failed',
      executed: ['fragile("abc")'],
    })
  })

  it('forgotten by a resume start their attempts anew', async () => {
    broken = true
    const stubborn = fragile.options({ retries: { count: 1, delay: 0, jitter: 0 } })
    const tries = workflow('tries', async () => stubborn('abc'))
    const world = new World()
    const first = await world.run(tries)
    world.took()
    const second = await world.resume(first.id, tries)
    expect({ state: second.state, executed: world.took() }).toEqual({
      state: 'failed',
      executed: ['fragile("abc")', 'fragile("abc")'],
    })
  })
})
