import { expect, it } from 'vitest'
import { hintText, withHints } from './hint-text.ts'

const hint = 'Correct the task: almanac logs RUN TASK, then almanac resume RUN.'

it('names the run and the call that it is about, where they are known', () => {
  expect(hintText(hint, 'r1', 7)).toBe('Correct the task: almanac logs r1 7, then almanac resume r1.')
  expect(hintText(hint, 'r1')).toBe('Correct the task: almanac logs r1 TASK, then almanac resume r1.')
  expect(hintText(hint)).toBe(hint)
})

it.each([
  [
    { kind: 'error', hint },
    { kind: 'error', hint },
  ],
  [
    { kind: 'run', id: 'r1', output: { hint }, error: { code: 'A', call: 7, hint } },
    { kind: 'run', id: 'r1', output: { hint }, error: { code: 'A', call: 7, hint: hintText(hint, 'r1', 7) } },
  ],
  [
    { kind: 'why', run: 'r1', outcome: { state: 'failed', error: { hint } } },
    { kind: 'why', run: 'r1', outcome: { state: 'failed', error: { hint: hintText(hint, 'r1') } } },
  ],
  [
    { kind: 'run', id: 'r1', error: null },
    { kind: 'run', id: 'r1', error: null },
  ],
])('objects for programs have it at their errors alone: %j', (object, told) => {
  expect(withHints(object)).toEqual(told)
})
