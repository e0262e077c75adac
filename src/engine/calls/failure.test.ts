import { expect, it } from 'vitest'
import { AlmanacError } from '../../model/errors.ts'
import { recordOf } from './failure.ts'

const withStack = (code: 'ALM_STORE_FULL' | 'ALM_BUG', stack: string): AlmanacError =>
  Object.assign(new AlmanacError(code, { path: '/store', why: 'w' }), { stack })

const own = new URL('../../data/blobs.ts', import.meta.url).pathname

it('keeps no stack of an error in which no line is the author’s', () => {
  expect(recordOf(withStack('ALM_STORE_FULL', `Error\n    at put (${own}:3:4)`))).not.toHaveProperty('stack')
})

it('keeps the stack that leads to the author’s line, and that of a fault of Almanac itself', () => {
  const stack = `Error\n    at put (${own}:3:4)\n    at flow (/project/flow.ts:7:1)`
  expect(recordOf(withStack('ALM_STORE_FULL', stack))).toMatchObject({
    stack,
    file: '/project/flow.ts',
    line: 7,
  })
  expect(recordOf(withStack('ALM_BUG', 'Error: odd'))).toMatchObject({ stack: 'Error: odd' })
})
