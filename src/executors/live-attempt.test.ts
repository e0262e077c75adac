import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AttemptEnd } from '../ports/executor.ts'
import { Recorder } from '../testing/executors/recorder.ts'
import { taskSpec } from '../testing/task-spec.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { Attempts } from './lifecycle.ts'
import type { LiveAttempt } from './live-attempt.ts'

/** What was asked of the driver, in order: `stop` or `kill`, with the time since the start. */
class Driver {
  readonly asked: string[] = []
  readonly clock = new VirtualClock(0)
  /** what `listen` does */
  heard: (live: LiveAttempt<unknown>) => void = () => undefined
  /** whether a polite stop is heeded at once */
  heeds = false

  stop(live: LiveAttempt<unknown>, force: boolean): void {
    this.asked.push(`${force ? 'kill' : 'stop'} ${this.clock.now()}`)
    if (force || this.heeds) live.stopped()
  }

  listen(live: LiveAttempt<unknown>): void {
    this.heard(live)
  }
}

const task = taskSpec('t', { kind: 'function', name: 't' })
const attempt = {
  id: 'a',
  run: 'r',
  call: 1,
  attempt: 1,
  key: 'k',
  task,
  inputs: {},
  outputs: {},
  scratch: '/s',
}
const rest = { idempotencyKey: 'i', memoryBytes: 0, env: {}, logicalTime: 0 }

function begin(limits: { timeoutMs?: number; heartbeatMs?: number } = {}) {
  const driver = new Driver()
  const heard = new Recorder()
  const attempts = new Attempts({ clock: driver.clock, killAfterMs: 100 }, heard, driver)
  const live = attempts.add({ ...attempt, ...rest, ...limits })
  if (live === undefined) throw new Error('it is open')
  live.started()
  live.watch()
  return { driver, heard, attempts, live, clock: driver.clock, end: () => heard.of('a').end }
}

const codeOf = (end: AttemptEnd | undefined): string | undefined =>
  end?.kind === 'failed' ? end.error.code : end?.kind

describe('an attempt that is being stopped', () => {
  it('is asked politely, and killed when its grace is over', async () => {
    const { driver, live, clock, end } = begin()
    live.cancel(50)
    await clock.advance(49)
    expect([driver.asked, end()]).toEqual([['stop 0'], undefined])
    await clock.advance(1)
    expect([driver.asked, end()]).toEqual([['stop 0', 'kill 50'], { kind: 'cancelled' }])
  })

  it('is killed at once without grace, and never asked politely afterwards', () => {
    const { driver, live } = begin()
    live.cancel(0)
    live.cancel(50)
    expect(driver.asked).toEqual(['kill 0'])
  })

  it('has less grace by another cancel, never more', async () => {
    const { driver, live, clock } = begin()
    live.cancel(1000)
    live.cancel(5000)
    await clock.advance(100)
    live.cancel(200)
    await clock.advance(1000)
    expect(driver.asked).toEqual(['stop 0', 'kill 300'])
  })

  it('ends as it was decided when it was stopped, whatever it says itself', () => {
    const { live, end } = begin()
    live.cancel(50)
    live.succeed({ '': 1 })
    expect(end()).toEqual({ kind: 'cancelled' })
  })

  it('is cancelled where it is cancelled after it timed out, not the other way round', async () => {
    const late = begin({ timeoutMs: 10 })
    await late.clock.advance(10)
    late.live.cancel(1000)
    await late.clock.advance(100)
    expect(late.end()).toEqual({ kind: 'cancelled' })
    const early = begin({ timeoutMs: 10 })
    early.live.cancel(1000)
    await early.clock.advance(2000)
    expect([early.driver.asked, early.end()]).toEqual([['stop 0', 'kill 1000'], { kind: 'cancelled' }])
  })

  it('keeps what it used', async () => {
    const { live, end, clock } = begin({ timeoutMs: 10 })
    await clock.advance(10)
    live.stopped({ cpuMs: 7 })
    expect(end()).toMatchObject({ kind: 'failed', usage: { cpuMs: 7 } })
  })
})

describe('time', () => {
  it('runs out by the timeout, then by force', async () => {
    const { driver, clock, end } = begin({ timeoutMs: 1000 })
    await clock.advance(5000)
    expect(driver.asked).toEqual(['stop 1000', 'kill 1100'])
    expect(end()).toEqual({
      kind: 'failed',
      reason: 'timeout',
      error: {
        code: 'ALM_TASK_TIMEOUT',
        message: 'The attempt took longer than 1 s.',
        hint: 'Give the task a larger timeout, or make it faster.',
      },
      retryable: true,
    })
  })

  it('runs out by silence, which every sign of life begins anew', async () => {
    const { driver, live, clock, end } = begin({ heartbeatMs: 100 })
    driver.heeds = true
    for (const sign of [
      () => live.heartbeat(),
      () => live.log('log', 'x'),
      () => live.lines('stdout', ['x']),
      () => live.note({ type: 'event', name: 'x', body: 1 }),
    ]) {
      await clock.advance(90)
      sign()
    }
    expect(end()).toBeUndefined()
    await clock.advance(99)
    expect(end()).toBeUndefined()
    await clock.advance(1)
    expect([codeOf(end()), driver.asked]).toEqual(['ALM_TASK_SILENT', ['stop 460']])
  })

  it('is not run out where the attempt has said something that was not taken in yet', async () => {
    const { driver, clock, end } = begin({ heartbeatMs: 100 })
    driver.heard = (live) => live.heartbeat()
    await clock.advance(10_000)
    expect([end(), driver.asked]).toEqual([undefined, []])
  })

  it("is not kept going by warnings, which are not the attempt's own", async () => {
    const { driver, live, clock, end } = begin({ heartbeatMs: 100 })
    driver.heeds = true
    await clock.advance(90)
    live.warn('x', 'y')
    await clock.advance(10)
    expect(codeOf(end())).toBe('ALM_TASK_SILENT')
  })

  it('costs one timer at most, and none where there is no limit', async () => {
    expect(begin().clock.nextDue).toBeUndefined()
    const { live, clock } = begin({ timeoutMs: 1000, heartbeatMs: 100 })
    let asked = 0
    const at = clock.at.bind(clock)
    clock.at = (time, wake) => {
      asked++
      return at(time, wake)
    }
    for (let i = 0; i < 900; i++) {
      await clock.advance(1)
      live.heartbeat()
    }
    expect(asked).toBeLessThan(12)
    live.succeed({})
    expect(clock.nextDue).toBeUndefined()
  })
})

describe('what it says', () => {
  it('is its last progress, and not too much of it', async () => {
    const { live, clock, heard } = begin()
    for (let done = 0; done <= 1000; done++) {
      live.note({ type: 'progress', name: '', body: { done } })
      await clock.advance(1)
    }
    live.note({ type: 'progress', name: '', body: { done: 'all' } })
    live.succeed({})
    const told = heard.of('a').notes.map((note) => (note.body as { done: unknown }).done)
    expect(told).toEqual([0, 249, 499, 749, 999, 'all'])
    expect(clock.nextDue).toBeUndefined()
  })

  it('are heartbeats, not more than one a second', async () => {
    const { live, clock, heard } = begin()
    for (let i = 0; i < 3000; i++) {
      live.heartbeat()
      await clock.advance(1)
    }
    expect(heard.of('a').heartbeats).toBe(3)
  })
})

describe('the table of attempts', () => {
  it('refuses an attempt twice', () => {
    const { attempts } = begin()
    expect(() => attempts.add({ ...attempt, ...rest })).toThrow('attempt a was submitted twice')
  })

  it('is closed when the last attempt has ended, and once only', async () => {
    const { attempts, end } = begin()
    let closed = 0
    const done = (): void => {
      closed++
    }
    await Promise.all([attempts.close(done), attempts.close(done)])
    await attempts.close(done)
    expect([end(), closed, attempts.size]).toEqual([{ kind: 'cancelled' }, 1, 0])
  })
})

it('any order of anything ends an attempt once, with nothing after it, and leaves no timer', async () => {
  type Step = (live: LiveAttempt<unknown>, clock: VirtualClock) => unknown
  const steps: Readonly<Record<string, Step>> = {
    cancel: (live) => live.cancel(30),
    'cancel now': (live) => live.cancel(0),
    'cancel later': (live) => live.cancel(1000),
    memory: (live) =>
      live.stop({ kind: 'failed', reason: 'memory', error: { code: 'x', message: '' }, retryable: true }, 0),
    succeed: (live) => live.succeed({}),
    fail: (live) => live.fail('error', { code: 'x', message: '' }, true),
    lost: (live) => live.lost('x'),
    log: (live) => live.log('log', 'x'),
    progress: (live) => live.note({ type: 'progress', name: '', body: 1 }),
    event: (live) => live.note({ type: 'event', name: 'e', body: 1 }),
    heartbeat: (live) => live.heartbeat(),
    warn: (live) => live.warn('w', 'x'),
    'a little': (_, clock) => clock.advance(20),
    'a while': (_, clock) => clock.advance(200),
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 12 }),
      fc.boolean(),
      async (names, heeds) => {
        const { driver, live, clock, heard, end } = begin({ timeoutMs: 150, heartbeatMs: 50 })
        driver.heeds = heeds
        for (const name of names) await steps[name]?.(live, clock)
        await clock.advance(10_000)
        expect(heard.violations).toEqual([])
        expect(end()).toBeDefined()
        expect(clock.nextDue).toBeUndefined()
        expect(driver.asked.filter((asked) => asked.startsWith('kill')).length).toBeLessThan(2)
        expect(driver.asked.filter((asked) => asked.startsWith('stop')).length).toBeLessThan(2)
      },
    ),
  )
})
