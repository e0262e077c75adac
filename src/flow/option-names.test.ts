import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { World } from '../testing/world.ts'
import { command, script } from './command.ts'
import { python } from './python.ts'
import { json } from './schema.ts'
import { task } from './task.ts'
import { workflow } from './workflow.ts'

const fn = (): number => 1

/** As plain JavaScript may write it. */
const wrong = (options: object): never => options as never

describe('an option that is wrong, or missing', () => {
  it.each<[string, () => unknown, string]>([
    [
      'of a task',
      () => task('t', wrong({ retires: 3 }), fn),
      'Option retires of t is not valid: there is none of that name, retries may be meant.',
    ],
    [
      'in other letters',
      () => task('t', wrong({ timeOut: '5m' }), fn),
      'Option timeOut of t is not valid: there is none of that name, timeout may be meant.',
    ],
    [
      'of retries',
      () => task('t', wrong({ retries: { count: 1, dealy: 5 } }), fn),
      'Option retries.dealy of t is not valid: there is none of that name, retries.delay may be meant.',
    ],
    [
      'of the cache',
      () => task('t', wrong({ cache: { fro: '1h' } }), fn),
      'Option cache.fro of t is not valid: there is none of that name, cache.for may be meant.',
    ],
    [
      'of another kind of task',
      () => task('t', wrong({ cwd: 'x' }), fn),
      'Option cwd of t is not valid: there is none of that name; there are cache, context, cpu, effect, heartbeat, limits, location, memory, onFailure, output, persist, priority, random, rate, reads, retries, run, threads, timeout, variables, version.',
    ],
    [
      'of a variant',
      () => task('t', fn).options(wrong({ prioritiy: 1 })),
      'Option prioritiy of t is not valid: there is none of that name, priority may be meant.',
    ],
    [
      'of a Python task',
      () => python.task(wrong({ run: 'steps.py:f', outputs: {} })),
      'Option outputs of f is not valid: there is none of that name, output may be meant.',
    ],
    [
      'of a command',
      () => command.task(wrong({ name: 'c', run: ['true'], retryExit: [1] })),
      'Option retryExit of c is not valid: there is none of that name, retryExits may be meant.',
    ],
    [
      'of a script',
      () => script.task(wrong({ name: 's', lang: 'sh', sorce: '' })),
      'Option sorce of s is not valid: there is none of that name, source may be meant.',
    ],
    [
      'of a command without a name',
      () => command.task(wrong({ run: ['true'] })),
      'Option name of a command is not valid: it must be a text, by which its calls are known.',
    ],
    [
      'of a command that is one text',
      () => command.task(wrong({ name: 'c', run: 'true' })),
      "Option run of c is not valid: it must be a program and its arguments, like ['sort', '{in.text}'].",
    ],
    [
      'of a script without a source',
      () => script.task(wrong({ name: 's', lang: 'sh' })),
      'Option source of s is not valid: it must be the text of the script.',
    ],
    [
      'of an environment',
      () => python.env('requirements.txt', wrong({ pyhton: 'python3' })),
      'Option pyhton of python.env is not valid: there is none of that name, python may be meant.',
    ],
    [
      'of a workflow',
      () => workflow('w', wrong({ inputs: {} }), fn),
      'Option inputs of w is not valid: there is none of that name, input may be meant.',
    ],
  ])('is refused, and the right one named: %s', (_, define, message) => {
    expect(define).toThrow(expect.objectContaining({ code: 'ALM_OPTION_REFUSED', message }))
  })

  it.each<[string, object, string]>([
    [
      'a word',
      { onFailure: 'ignore' },
      `onFailure of t is not valid: "ignore" is none of 'fail', 'skip' and 'pause'.`,
    ],
    [
      'an inherited word',
      { onFailure: 'toString' },
      `onFailure of t is not valid: "toString" is none of 'fail', 'skip' and 'pause'.`,
    ],
    ['a flag', { effect: 'yes' }, 'effect of t is not valid: "yes" is neither true nor false.'],
    ['a number for a flag', { random: 1 }, 'random of t is not valid: 1 is neither true nor false.'],
    [
      'a flag of where results lie',
      { persist: 'no' },
      'persist of t is not valid: "no" is neither true nor false.',
    ],
    [
      'a flag of where inputs lie',
      { location: () => true },
      'location of t is not valid: () => true is neither true nor false.',
    ],
    [
      'a text for a list',
      { variables: 'API_URL' },
      `variables of t is not valid: "API_URL" is no list of texts; write ['…'].`,
    ],
    [
      'a list of others',
      { reads: ['a', 1] },
      `reads of t is not valid: ["a",1] is no list of texts; write ['…'].`,
    ],
    [
      'a text for a list of errors',
      { retries: { count: 1, on: 'ALM_TASK_TIMEOUT' } },
      `retries.on of t is not valid: "ALM_TASK_TIMEOUT" is no list of texts; write ['…'].`,
    ],
  ])('that is %s it may not have is refused, with what it may be', (_, options, message) => {
    const define = () => task('t', wrong(options), fn)
    expect(define).toThrow(
      expect.objectContaining({ code: 'ALM_OPTION_REFUSED', message: `Option ${message}` }),
    )
  })

  it('of a function in Python that is given as for other tasks is refused by the name of what takes it', () => {
    expect(() => python.task('double' as never)).toThrow(
      expect.objectContaining({
        code: 'ALM_OPTION_REFUSED',
        message: "Option run of python.task is not valid: it is not like 'steps.py:function'.",
      }),
    )
  })

  it('of a map is refused when it is called', async () => {
    const one = task('one', (n: number) => n)
    const maps = workflow('maps', async () => one.map({} as never, wrong({ wiht: {} })))
    expect((await new World().run(maps)).error).toMatchObject({
      code: 'ALM_OPTION_REFUSED',
      message: 'Option wiht of one.map is not valid: there is none of that name, with may be meant.',
    })
  })
})

describe('json', () => {
  const level = async (schema: ReturnType<typeof json>): Promise<unknown> => {
    const takes = workflow(
      'takes',
      { input: { level: schema } },
      async (input) => (input as { level: unknown }).level,
    )
    const { output, error } = await new World().run(takes, { level: 'high' } as never)
    return output ?? error?.message
  }

  it('without a schema only claims a type', async () => {
    expect(await level(json<number>() as never)).toBe('high')
  })

  it('with a schema checks it', async () => {
    expect(await level(json(z.number()) as never)).toMatch(
      /^The input of takes does not fit its schema: level: .*expected number/,
    )
  })
})
