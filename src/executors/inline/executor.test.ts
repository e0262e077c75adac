import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OutputKind } from '../../model/task.ts'
import type { TaskContext } from '../../model/task-context.ts'
import { TerminalError } from '../../model/terminal-error.ts'
import type { Value } from '../../model/value.ts'
import type { Attempt, AttemptEnd, AttemptId } from '../../ports/executor.ts'
import { ExecutorBench, killAfterMs } from '../../testing/executors/executor-bench.ts'
import type { Program } from '../../testing/executors/executor-rig.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openInlineExecutor } from './executor.ts'

let bench: ExecutorBench
let warnings: string[] = []

/** Without `blockedMs` nothing is warned of, however long the machine itself stands still. */
async function open(blockedMs: number): Promise<void> {
  warnings = []
  bench = await ExecutorBench.openPlain((options, listener) =>
    openInlineExecutor({ ...options, blockedMs, warn: (text) => warnings.push(text) }, listener),
  )
}

beforeEach(() => open(Number.POSITIVE_INFINITY))

afterEach(() => bench.close())

type TaskFunction = (...args: never[]) => unknown

const program = (
  fn: TaskFunction,
  args: readonly Value[] = [],
  outputs?: Readonly<Record<string, OutputKind>>,
): Program => ({
  task: taskSpec('t', { kind: 'function', name: 't' }, outputs && { outputs }),
  inputs: { args },
  fn,
})

const run = (
  fn: TaskFunction,
  args: readonly Value[] = [],
  more: Partial<Attempt> = {},
): Promise<AttemptEnd> => bench.run(program(fn, args), more)

const submit = (fn: TaskFunction, more: Partial<Attempt> = {}): AttemptId => {
  const attempt = bench.attempt(program(fn), more)
  bench.executor.submit([attempt])
  return attempt.id
}

/** Its function has been called. */
const begun = async (id: AttemptId): Promise<void> => {
  await bench.heard.until(() => bench.heard.of(id).started === 1)
  await bench.clock.settle()
}

const value = (of: Value): AttemptEnd => ({ kind: 'succeeded', values: { '': of } })

describe('a function', () => {
  it('gets its arguments, and after them its context', async () => {
    const fn = (a: number, b: string, context: TaskContext): Value => [a, b, context.call]
    expect(await run(fn, [1, 'two'])).toEqual(value([1, 'two', 1]))
  })

  it('that is called with names gets them as one object', async () => {
    const named = { ...program((input: { n: number }) => input.n), inputs: { n: 3 } }
    expect(await bench.run(named)).toEqual(value(3))
  })

  it('gives its value now or later', async () => {
    expect(await run(() => 'now')).toEqual(value('now'))
    expect(await run(async () => 'later')).toEqual(value('later'))
    expect(await run(() => undefined)).toEqual(value(undefined))
    // biome-ignore lint/suspicious/noThenProperty: a foreign promise
    expect(await run(() => ({ then: (ok: (value: number) => void) => [ok(1), ok(2)] }))).toEqual(value(1))
  })

  it('gives a field for each of several declared values', async () => {
    const outputs = { a: 'value', b: 'value' } as const
    expect(await bench.run(program(() => ({ a: 1, b: 2 }), [], outputs))).toEqual({
      kind: 'succeeded',
      values: { a: 1, b: 2 },
    })
    expect(await bench.run(program(() => ({ a: 1 }), [], outputs))).toMatchObject({
      kind: 'failed',
      reason: 'outputs',
      retryable: false,
      error: { code: 'ALM_RESULT_REFUSED', message: 'The result of the task cannot be kept: it has no b.' },
    })
  })

  it('is not begun before submit has returned, and in the order of submission', async () => {
    const order: string[] = []
    const attempts = ['a', 'b', 'c'].map((name) => bench.attempt(program(() => order.push(name))))
    bench.executor.submit(attempts)
    order.push('submitted')
    await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
    expect(order).toEqual(['submitted', 'a', 'b', 'c'])
  })

  it('leaves room for everything else between the functions of a long batch', async () => {
    const spin = (): void => {
      const until = performance.now() + 1
      while (performance.now() < until);
    }
    const attempts = Array.from({ length: 200 }, () => bench.attempt(program(spin)))
    let turns = 0
    const turn = (): void => {
      if (bench.heard.of(attempts.at(-1)?.id ?? '').end !== undefined) return
      turns++
      setImmediate(turn)
    }
    bench.executor.submit(attempts)
    turn()
    await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
    expect(turns).toBeGreaterThan(10)
  })

  it('runs outside the async context of whoever submitted it', async () => {
    const context = new AsyncLocalStorage<string>()
    const id = context.run('workflow', () => submit(() => context.getStore() ?? 'none'))
    expect(await bench.heard.end(id)).toEqual(value('none'))
  })

  it('that holds the event loop is warned of, once for its task', async () => {
    await bench.close()
    await open(20)
    const hold = (): void => {
      const until = performance.now() + 30
      while (performance.now() < until);
    }
    const ids = [submit(hold), submit(hold)]
    for (const id of ids) await bench.heard.end(id)
    expect(ids.map((id) => bench.heard.of(id).notes)).toEqual([
      [
        {
          type: 'warning',
          name: 'blocked',
          body: {
            text: expect.stringMatching(/^t held the event loop for \d+ ms: nothing else ran meanwhile\.$/),
            ms: expect.any(Number),
          },
        },
      ],
      [],
    ])
  })
})

describe('the context', () => {
  it('tells the task what it needs to know', async () => {
    let told: unknown
    const attempt = bench.attempt(
      program((context: TaskContext) => {
        const { out, run, call, attempt, idempotencyKey, logicalTime, scratch, signal } = context
        told = { out, run, call, attempt, idempotencyKey, logicalTime, scratch, aborted: signal.aborted }
      }),
      { outputs: { db: '/out/db' }, attempt: 3 },
    )
    bench.executor.submit([attempt])
    await bench.heard.end(attempt.id)
    expect(told).toEqual({
      out: { db: '/out/db' },
      run: 'r1',
      call: 1,
      attempt: 3,
      idempotencyKey: 'once-1',
      logicalTime: new Date('2026-01-02T00:00:00Z'),
      scratch: attempt.scratch,
      aborted: false,
    })
  })

  it('passes on what the task says, also where its members are taken out of it', async () => {
    const id = submit(({ log, event, metric, artifact, progress, heartbeat, scratch }: TaskContext) => {
      log('one\ntwo')
      event('arrived')
      event('arrived', { at: new Date(0) })
      metric('rmse', Number.NaN, { step: 2 })
      artifact('map', { kind: 'image', path: 'map.png' })
      progress(1, 2)
      heartbeat()
      return scratch
    })
    const end = await bench.heard.end(id)
    const { lines, notes, heartbeats } = bench.heard.of(id)
    expect(lines).toEqual([
      { stream: 'log', text: 'one', at: bench.clock.now() },
      { stream: 'log', text: 'two', at: bench.clock.now() },
    ])
    expect(notes).toEqual([
      { type: 'event', name: 'arrived', body: {} },
      { type: 'event', name: 'arrived', body: { at: new Date(0) } },
      { type: 'metric', name: 'rmse', body: { value: Number.NaN, step: 2 } },
      {
        type: 'artifact',
        name: 'map',
        body: { kind: 'image', path: `${end.kind === 'succeeded' && end.values['']}/map.png` },
      },
      { type: 'progress', name: '', body: { done: 1, total: 2 } },
    ])
    expect(heartbeats).toBe(1)
  })

  it('refuses what cannot be kept, in the task itself', async () => {
    const end = await run(({ event }: TaskContext) => event('x', (() => 1) as unknown as Value))
    expect(end).toMatchObject({ kind: 'failed', error: { code: 'ALM_VALUE_REFUSED', type: 'AlmanacError' } })
  })

  it('has a signal that is aborted when the attempt is cancelled, for whoever asks before or afterwards', async () => {
    const seen: unknown[] = []
    const id = submit(async (context: TaskContext) => {
      await new Promise<void>((resolve) => {
        context.signal.addEventListener('abort', () => resolve())
      })
      seen.push(context.signal.aborted)
      context.signal.throwIfAborted()
    })
    await begun(id)
    bench.executor.cancel(id, 1000)
    expect(await bench.heard.end(id)).toEqual({ kind: 'cancelled' })
    expect(seen).toEqual([true])
    let asked: TaskContext | undefined
    const late = submit((context: TaskContext) => {
      asked = context
      return new Promise(() => undefined)
    })
    await begun(late)
    bench.executor.cancel(late, 0)
    expect(asked?.signal.aborted).toBe(true)
  })
})

describe('a function that fails', () => {
  it('may say that trying again cannot help', async () => {
    const fail = (error: unknown) => () => {
      throw error
    }
    expect(await run(fail(new TerminalError('no')))).toMatchObject({
      retryable: false,
      error: { type: 'TerminalError' },
    })
    expect(await run(fail(Object.assign(new Error('no'), { terminal: true })))).toMatchObject({
      retryable: false,
    })
    expect(await run(fail({ terminal: true }))).toMatchObject({ retryable: false })
    expect(await run(fail(new Error('no')))).toMatchObject({
      retryable: true,
      error: { code: 'ALM_TASK_FAILED', message: 'no' },
    })
  })

  it('fails now or later alike', async () => {
    const later = async (): Promise<never> => {
      throw new RangeError('later')
    }
    expect(await run(later)).toMatchObject({
      kind: 'failed',
      reason: 'error',
      error: { type: 'RangeError', message: 'later' },
    })
  })

  it('may be a promise that is none', async () => {
    const broken = {
      // biome-ignore lint/suspicious/noThenProperty: a foreign promise
      then: () => {
        throw new Error('broken')
      },
    }
    expect(await run(() => broken)).toMatchObject({ kind: 'failed', error: { message: 'broken' } })
  })
})

describe('a function that never settles', () => {
  const never = (): Promise<never> => new Promise(() => undefined)

  it('is ended by its timeout at once, where it does not heed its signal', async () => {
    const id = submit(never, { timeoutMs: 1000 })
    await begun(id)
    await bench.clock.advance(1000)
    expect(bench.heard.of(id).end).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
      error: { code: 'ALM_TASK_TIMEOUT' },
    })
  })

  it('has time to clean up after its timeout, where it heeds its signal', async () => {
    const id = submit(({ signal }: TaskContext) => [signal, never()][1], { timeoutMs: 1000 })
    await begun(id)
    await bench.clock.advance(1000 + killAfterMs - 1)
    expect(bench.heard.of(id).end).toBeUndefined()
    await bench.clock.advance(1)
    expect(bench.heard.of(id).end).toMatchObject({ error: { code: 'ALM_TASK_TIMEOUT' } })
  })

  it('is ignored when it does settle after its end, with a warning where it fails', async () => {
    const settle: { resolve: () => void; reject: (error: Error) => void }[] = []
    const late = (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        settle.push({ resolve: () => resolve(1), reject })
      })
    const ids = [submit(late), submit(late), submit(late)]
    await begun(ids[2] ?? '')
    for (const id of ids) bench.executor.cancel(id, 0)
    settle[0]?.resolve()
    settle[1]?.reject(new Error('too late'))
    settle[2]?.reject(new DOMException('aborted', 'AbortError'))
    await bench.clock.settle()
    expect(ids.map((id) => bench.heard.of(id).end)).toEqual(ids.map(() => ({ kind: 'cancelled' })))
    expect(warnings).toEqual(['t failed after its attempt r1/2.1 had ended: too late'])
  })

  it('may say nothing more after its end', async () => {
    let context: TaskContext | undefined
    const id = submit((given: TaskContext) => {
      context = given
      return never()
    })
    await begun(id)
    bench.executor.cancel(id, 0)
    context?.log('late')
    context?.event('late')
    context?.progress(1)
    context?.heartbeat()
    expect(bench.heard.of(id)).toMatchObject({ lines: [], notes: [], heartbeats: 0 })
  })
})

it('gives a function values of its own: what it changes is not changed for others', async () => {
  const given = { list: [1], day: new Date(0), bytes: new Uint8Array([7]) }
  const spoil = (of: typeof given): number => {
    of.list.push(2)
    of.day.setTime(5)
    of.bytes.fill(0)
    return of.list.length
  }
  const ends = [await run(spoil, [given]), await run(spoil, [given])]
  expect(ends.map((end) => 'values' in end && end.values)).toEqual([{ '': 2 }, { '': 2 }])
  expect(given).toEqual({ list: [1], day: new Date(0), bytes: new Uint8Array([7]) })
})
