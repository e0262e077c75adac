import { expect, it } from 'vitest'
import type { LimitNeed, LimitRule } from '../../model/limits.ts'
import { absentMs, type LimitAsk, type Limits } from '../../ports/limits.ts'
import type { Fixture } from './journal-fixture.ts'

type Needs = Readonly<Record<string, number>>

/** Asks of one run. */
function asker(limits: Limits, rules: readonly LimitRule[]) {
  return async (run: string, needs: Needs, wanted: number, more: Partial<LimitAsk> = {}) => {
    const given = Object.entries(needs).map(([name, units]): LimitNeed => ({ name, units }))
    const ask = {
      run,
      key: JSON.stringify(needs),
      needs: given,
      rules,
      back: 0,
      unused: 0,
      wanted,
      now: 1000,
    }
    return (await limits.ask([{ ...ask, ...more }]))[0]
  }
}

const free = { isShared: false }
const shared = { isShared: true }
const one = { gpfs: 1 }

/** Limits that runs of several processes share. */
export function testLimits(at: () => Fixture): void {
  it('admits no more than the capacity, over processes, and who waits is told what is short', async () => {
    const { limits, another } = at()
    const rules = [{ name: 'gpfs', capacity: 3 }]
    const [a, b] = [asker(limits, rules), asker((await another()).limits, rules)]
    expect(await a('run1', one, 2)).toEqual({ granted: 2, ...free })
    expect(await b('run2', one, 2)).toEqual({ granted: 1, ...free, blockedBy: 'gpfs' })
    // whoever holds hears that somebody waits
    expect(await a('run1', one, 0)).toEqual({ granted: 0, ...shared })
    expect(await limits.list(1000)).toEqual([
      {
        name: 'gpfs',
        capacity: 3,
        held: 3,
        users: [
          { run: 'run1', units: 1, held: 2, waiting: 0 },
          { run: 'run2', units: 1, held: 1, waiting: 1, blockedBy: 'gpfs', since: 1000 },
        ],
      },
    ])
    expect(await a('run1', one, 0, { back: 1 })).toEqual({ granted: 0, ...shared })
    expect(await b('run2', one, 1)).toEqual({ granted: 1, ...free })
  })

  it('lets those who wait go in turn', async () => {
    const { limits } = at()
    const ask = asker(limits, [{ name: 'gpfs', capacity: 2 }])
    await ask('run1', one, 9)
    await ask('run2', one, 9)
    await ask('run3', one, 9)
    const [none, oneMore] = [0, 1].map((granted) => ({ granted, ...shared, blockedBy: 'gpfs' }))
    // it has waited for longer than the others
    expect(await ask('run1', one, 7, { back: 1 })).toEqual(oneMore)
    // what it gives back now is not its own to take again
    expect(await ask('run1', one, 7, { back: 1 })).toEqual(none)
    expect(await ask('run3', one, 9)).toEqual(none)
    expect(await ask('run2', one, 9)).toEqual(oneMore)
    await ask('run1', one, 7, { back: 1 })
    expect(await ask('run3', one, 9)).toEqual(oneMore)
    await ask('run2', one, 8, { back: 1 })
    expect(await ask('run1', one, 7)).toEqual(oneMore)
  })

  it('does not keep a place for who has stopped asking', async () => {
    const { limits } = at()
    const ask = asker(limits, [{ name: 'gpfs', capacity: 1 }])
    await ask('run1', one, 1)
    await ask('run2', one, 1)
    await ask('run1', one, 0, { back: 1 })
    expect(await ask('run3', one, 1)).toMatchObject({ granted: 0 })
    const later = 1000 + absentMs
    expect(await ask('run3', one, 1, { now: later })).toMatchObject({ granted: 1 })
    expect(await ask('run2', one, 1, { now: later })).toMatchObject({ granted: 0 })
    await ask('run3', one, 1, { back: 1, now: later })
    expect(await ask('run2', one, 1, { now: later })).toMatchObject({ granted: 1 })
  })

  it('takes all needs at once or none, and leaves to others what cannot be used yet', async () => {
    const { limits } = at()
    const ask = asker(limits, [
      { name: 'gpfs', capacity: 1 },
      { name: 'licence', capacity: 2 },
    ])
    expect(await ask('run1', { licence: 2 }, 1)).toMatchObject({ granted: 1 })
    expect(await ask('run2', { gpfs: 1, licence: 1 }, 1)).toEqual({
      granted: 0,
      ...free,
      blockedBy: 'licence',
    })
    expect(await ask('run3', one, 1)).toMatchObject({ granted: 1 })
    await ask('run1', { licence: 2 }, 0, { back: 1 })
    expect(await ask('run2', { gpfs: 1, licence: 1 }, 1)).toMatchObject({ granted: 0, blockedBy: 'gpfs' })
    await ask('run3', one, 0, { back: 1 })
    expect(await ask('run2', { gpfs: 1, licence: 1 }, 1)).toMatchObject({ granted: 1 })
  })

  it('admits who needs much in its turn, though others need little', async () => {
    const { limits } = at()
    const ask = asker(limits, [{ name: 'gpfs', capacity: 4 }])
    await ask('small', one, 4)
    expect(await ask('large', { gpfs: 4 }, 1)).toMatchObject({ granted: 0 })
    for (let held = 4; held > 0; held--)
      expect(await ask('small', one, 1, { back: 1 })).toMatchObject({ granted: 0 })
    expect(await ask('large', { gpfs: 4 }, 1)).toMatchObject({ granted: 1 })
  })

  it('lets units through at their rate, and says when the next one may come', async () => {
    const { limits, another } = at()
    const rules = [{ name: 'api', rate: { count: 10, perMs: 1000, burst: 2 } }]
    const [a, b] = [asker(limits, rules), asker((await another()).limits, rules)]
    const api = { api: 1 }
    expect(await a('run1', api, 3)).toEqual({ granted: 2, ...shared, blockedBy: 'api', retryAt: 1100 })
    // behind the one that waits
    expect(await b('run2', api, 1)).toEqual({ granted: 0, ...shared, blockedBy: 'api', retryAt: 1200 })
    expect(await a('run1', api, 1, { now: 1099 })).toMatchObject({ granted: 0, retryAt: 1100 })
    expect(await a('run1', api, 1, { now: 1100 })).toEqual({ granted: 1, ...shared })
    expect(await b('run2', api, 1, { now: 1200 })).toEqual({ granted: 1, ...shared })
    // what was not used is there for the next one
    expect(await b('run2', api, 1, { now: 1200, unused: 1 })).toMatchObject({ granted: 1 })
  })

  it('ends what is held with the run, and with the process', async () => {
    const { limits, another } = at()
    const rules = [{ name: 'gpfs', capacity: 2 }]
    const dying = await another()
    const [a, b] = [asker(limits, rules), asker(dying.limits, rules)]
    await b('run2', one, 1)
    await b('run3', one, 1)
    expect(await a('run1', one, 2)).toMatchObject({ granted: 0 })
    await dying.limits.leave('run2')
    expect(await a('run1', one, 2)).toMatchObject({ granted: 1, blockedBy: 'gpfs' })
    await dying.journal.close()
    expect(await a('run1', one, 1)).toMatchObject({ granted: 1 })
    await limits.leave('run1')
    expect(await limits.list(1000)).toEqual([{ ...rules[0], held: 0, users: [] }])
  })

  it('calls those who wait when something was given back, and those who hold when somebody waits', async () => {
    const { limits, another } = at()
    const rules = [{ name: 'gpfs', capacity: 1 }]
    const other = await another()
    const [a, b] = [asker(limits, rules), asker(other.limits, rules)]
    const told = (of: Limits): Promise<void> => new Promise((resolve) => stops.push(of.watch(resolve)))
    const stops: (() => void)[] = []
    await a('run1', one, 1)
    const holder = told(limits)
    await b('run2', one, 1)
    await holder
    const waiter = told(other.limits)
    await a('run1', one, 0, { back: 1 })
    await waiter
    for (const stop of stops) stop()
    expect(await b('run2', one, 1)).toMatchObject({ granted: 1 })
  })
}
