import { expect, test } from 'vitest'
import type { TaskBody } from '../model/task.ts'
import { definitionKey } from './callable.ts'
import type { TaskDefinition } from './definition.ts'
import { type PythonTaskOptions, python } from './python.ts'

const bodyOf = (options: Omit<PythonTaskOptions, 'run'>): TaskBody =>
  (python.task({ ...options, run: '/steps.py:f' })[definitionKey] as TaskDefinition).spec.body

test('threads of an environment are those of its tasks, unless a task says otherwise', () => {
  const env = python.env('/requirements.txt', { python: 'python3.12', threads: 4 })
  const body = { kind: 'python', file: '/steps.py', function: 'f' }
  // what is made for the environment does not depend on them
  const made = { requirements: '/requirements.txt', python: 'python3.12' }
  expect(bodyOf({ env })).toEqual({ ...body, env: made, threads: 4 })
  expect(bodyOf({ env, threads: 2 })).toEqual({ ...body, env: made, threads: 2 })
  expect(bodyOf({ env: python.env('/requirements.txt') })).toEqual({
    ...body,
    env: { requirements: '/requirements.txt' },
    threads: 1,
  })
  expect(bodyOf({})).toEqual({ ...body, threads: 1 })
})

test.each([0, 1.5, '4', Number.NaN])(
  '%s is no number of threads, of a task or of an environment',
  (threads) => {
    const why = 'it is no number from 1'
    expect(() => bodyOf({ threads: threads as number })).toThrow(`threads of f is not valid: ${why}`)
    expect(() => python.env('/requirements.txt', { threads: threads as number })).toThrow(
      `threads of python.env is not valid: ${why}`,
    )
    expect(() => python.env('/requirements.txt', { thread: 4 } as never)).toThrow('threads may be meant')
  },
)
