import { afterEach, expect, it, vi } from 'vitest'
import { isAlmanacError } from '../../model/errors.ts'
import { checkNesting, nested } from './nesting.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

/** As in a process that an engine at this depth has started. */
const within = (depth: string | undefined): void => {
  vi.stubEnv('ALMANAC_NESTING', depth)
}

const refusal = (): unknown => {
  try {
    checkNesting('workflow report')
  } catch (error) {
    return isAlmanacError(error) ? { code: error.code, details: error.details } : error
  }
  return undefined
}

it('an engine that nobody started is within none, and tells its tasks that they are within one', () => {
  within(undefined)
  expect(nested()).toEqual({ ALMANAC_NESTING: '1' })
  expect(refusal()).toBeUndefined()
})

it('an engine that a task started tells its own tasks one more', () => {
  within('3')
  expect(nested()).toEqual({ ALMANAC_NESTING: '4' })
})

it('an engine within ten others runs, and one within eleven is refused with how deep it is', () => {
  within('10')
  expect(refusal()).toBeUndefined()
  within('11')
  expect(refusal()).toEqual({
    code: 'ALM_NESTED',
    details: { what: 'workflow report', depth: 11, limit: 10 },
  })
})

it('what is no number counts as nothing', () => {
  within('deep')
  expect(nested()).toEqual({ ALMANAC_NESTING: '1' })
  expect(refusal()).toBeUndefined()
})
