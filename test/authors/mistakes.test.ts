import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { requireCaller } from '../../src/flow/ambient.ts'
import { all, settled } from '../../src/flow/list.ts'
import { run } from '../../src/flow/run.ts'
import { file, json } from '../../src/flow/schema.ts'
import { task } from '../../src/flow/task.ts'
import { workflow } from '../../src/flow/workflow.ts'
import { isAlmanacError } from '../../src/model/errors.ts'
import { World } from '../../src/testing/world.ts'

const double = task('double', (n: number) => 2 * n)
const echo = task('echo', (value: unknown) => value)

/** What a run of this function ends with: code and message. */
async function failureOf(fn: () => unknown): Promise<string> {
  const { state, error } = await new World().run(workflow('mistaken', async () => fn()))
  return `${state}: ${error?.code} ${error?.message}`
}

/** Where a piece of this file begins. */
const lineOf = (text: string): number =>
  readFileSync(fileURLToPath(import.meta.url), 'utf8')
    .split(text)[0]
    ?.split('\n').length ?? 0

/** What a definition throws. */
function refusalOf(define: () => unknown): string {
  try {
    define()
  } catch (error) {
    if (isAlmanacError(error)) return `${error.code} ${error.message}`
    throw error
  }
  return 'nothing'
}

describe('a mistake in a workflow is said where it is made', () => {
  it('a future turned into text', async () => {
    expect(await failureOf(() => `${double(1)}`)).toBe(
      'failed: ALM_FUTURE_AS_TEXT The result of double was turned into text before it is known.',
    )
  })

  it('a future turned into JSON', async () => {
    expect(await failureOf(() => JSON.stringify({ a: double(1) }))).toBe(
      'failed: ALM_FUTURE_AS_TEXT The result of double was turned into text before it is known.',
    )
  })

  it('a future in a Map, a Set or an instance of a class', async () => {
    class Box {
      readonly inner = double(1)
    }
    expect(await failureOf(() => echo({ at: new Map([['a', double(1)]]) }))).toBe(
      'failed: ALM_VALUE_REFUSED The value at [0].at cannot be kept: it is an instance of Map.',
    )
    expect(await failureOf(() => echo(new Box()))).toBe(
      'failed: ALM_VALUE_REFUSED The value at [0] cannot be kept: it is an instance of Box.',
    )
  })

  it('a promise as an argument', async () => {
    expect(await failureOf(() => echo(Promise.resolve(1)))).toBe(
      'failed: ALM_VALUE_REFUSED The value at [0] cannot be kept: it is a promise, and only futures of Almanac are remembered.',
    )
  })

  it('a value that contains itself', async () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(await failureOf(() => echo(circle))).toMatch(
      /^failed: ALM_VALUE_REFUSED .* it is nested more than 200 deep, or contains itself\.$/,
    )
  })

  it('a field that the result does not have', async () => {
    const pair = task('pair', () => ({ left: 1 }))
    expect(await failureOf(() => echo((pair() as unknown as Record<string, never>)['right']))).toBe(
      'failed: ALM_FIELD_MISSING The result of pair has no right: it has left.',
    )
  })

  it('a task defined inside a workflow', async () => {
    expect(await failureOf(() => task('inner', () => 1)())).toBe(
      'failed: ALM_DEFINED_INSIDE Task inner is defined inside a function.',
    )
  })

  it('equal questions open at once without a key', async () => {
    const ask = () => run.ask({ ok: json<boolean>() }, { title: 'ok?' })
    expect(await failureOf(() => all([ask(), ask()]))).toBe(
      'failed: ALM_KEY_NEEDED Two equal ask calls are open at once.',
    )
  })

  it('equal keys in a map', async () => {
    const { map } = await import('../../src/flow/list.ts')
    expect(await failureOf(() => map([1, 2], (n) => double(n), { key: () => 'same' }).all())).toMatch(
      /ALM_KEY_NEEDED/,
    )
  })

  it('waiting for a timer, or for itself', async () => {
    const never = new Promise(() => undefined)
    expect(await failureOf(() => never)).toBe(
      'failed: ALM_STUCK The workflow waits for something that is not a call of Almanac, in mistaken.',
    )
  })

  it('waiting for itself after calls: the line of the last one', async () => {
    const waiting = workflow('waiting', async () => {
      await double(1)
      await double(2)
      await new Promise(() => undefined)
    })
    const { error } = await new World().run(waiting)
    const last = lineOf('await double(2)\n      await new Promise(')
    expect(error).toMatchObject({
      code: 'ALM_STUCK',
      message: 'The workflow waits for something that is not a call of Almanac, after its call of double.',
      file: expect.stringMatching(/mistakes\.test\.ts$/),
      line: last,
    })
  })

  it('waiting for an async function that nobody awaits, and that threw', async () => {
    const go = Promise.withResolvers<void>()
    const lost = workflow('lost', async () => {
      const caller = requireCaller('a test')
      // as the process hears it of a rejection
      const stray = async (): Promise<void> => {
        await double(1)
        throw new RangeError('gone')
      }
      stray().catch((error: unknown) => caller.unheard(error))
      await go.promise
    })
    const { state, error } = await new World().run(lost)
    expect({ state, code: error?.code, type: error?.type, message: error?.message }).toEqual({
      state: 'failed',
      code: 'ALM_WORKFLOW_FAILED',
      type: 'RangeError',
      message: 'gone',
    })
  })

  it('an error of its own', async () => {
    const { state, error } = await new World().run(
      workflow('throws', async () => {
        throw new RangeError('no such level')
      }),
    )
    expect({
      state,
      code: error?.code,
      type: error?.type,
      message: error?.message,
      file: error?.file?.endsWith('mistakes.test.ts'),
    }).toEqual({
      state: 'failed',
      code: 'ALM_WORKFLOW_FAILED',
      type: 'RangeError',
      message: 'no such level',
      file: true,
    })
  })

  it('something that is no error, thrown', async () => {
    expect(
      await failureOf(() => {
        // biome-ignore lint/style/useThrowOnlyError: authors do
        throw 'a text'
      }),
    ).toBe('failed: ALM_WORKFLOW_FAILED something that is no error was thrown: "a text"')
  })
})

describe('a definition that cannot be is refused', () => {
  it('by its name', () => {
    expect(refusalOf(() => task('a b', () => 1))).toBe('ALM_NAME_REFUSED a b cannot be the name of a task.')
    expect(refusalOf(() => workflow('../x', async () => 1))).toBe(
      'ALM_NAME_REFUSED ../x cannot be the name of a workflow.',
    )
    // biome-ignore lint/suspicious/noThenProperty: this is what is refused
    expect(refusalOf(() => task('a', { output: { then: file() } }, () => ({})))).toBe(
      'ALM_NAME_REFUSED then cannot be the name of an output of a.',
    )
  })

  it('by its options', () => {
    expect(refusalOf(() => task('a', { timeout: 'soon' as never }, () => 1))).toBe(
      `ALM_OPTION_REFUSED Option timeout of a is not valid: "soon" is no duration; write 500, '30s', '5m' or '1h'.`,
    )
    expect(refusalOf(() => task('a', { retries: -1 }, () => 1))).toBe(
      'ALM_OPTION_REFUSED Option retries.count of a is not valid: -1 is no number from 0.',
    )
    expect(refusalOf(() => task('a', { memory: 'much' as never }, () => 1))).toMatch(
      /^ALM_OPTION_REFUSED Option memory of a/,
    )
    expect(refusalOf(() => task('a', { effect: true, cache: true }, () => 1))).toMatch(
      /^ALM_OPTION_REFUSED Option cache of a/,
    )
  })
})

describe('hostile values are values', () => {
  it('__proto__ in an input pollutes nothing and is kept', async () => {
    const hostile: unknown = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}')
    const world = new World()
    const { state, output } = await world.run(workflow('hostile', async () => echo(hostile)))
    expect(state).toBe('succeeded')
    expect(Object.keys(output as object)).toEqual(['__proto__', 'a'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('a result that looks like a reference stays what it is', async () => {
    const forged = { $: 'file', name: 'x', digest: '0'.repeat(64), size: 1 }
    const { output } = await new World().run(workflow('forged', async () => echo(forged)))
    expect(output).toEqual(forged)
  })

  it('many futures that nobody uses', async () => {
    const { state, executed } = await new World().run(
      workflow('unused', async () => {
        const futures = []
        for (let n = 0; n < 2000; n++) futures.push(double(n))
        return futures.length
      }),
    )
    expect({ state, executed }).toEqual({ state: 'succeeded', executed: 2000 })
  })

  it('settled of nothing', async () => {
    const { output } = await new World().run(workflow('none', async () => settled([])))
    expect(output).toEqual([])
  })
})
