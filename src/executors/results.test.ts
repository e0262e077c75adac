import { describe, expect, it } from 'vitest'
import type { OutputKind } from '../model/task.ts'
import { taskSpec } from '../testing/task-spec.ts'
import { programValues, returnedValues } from './results.ts'

const task = (outputs?: Readonly<Record<string, OutputKind>>) =>
  taskSpec('t', { kind: 'function', name: 't' }, outputs && { outputs })
const json = (value: unknown) => ({ kind: 'json', json: value }) as const
const absent = { kind: 'absent' } as const

describe('what a function returned', () => {
  it('is the one unnamed value of a task that declares no outputs', () => {
    expect(returnedValues(task(), { a: 1 })).toEqual({ values: { '': { a: 1 } } })
    expect(returnedValues(task(), undefined)).toEqual({ values: { '': undefined } })
  })

  it('is nothing where only files are declared', () => {
    expect(returnedValues(task({ db: 'file' }), 'ignored')).toEqual({ values: {} })
  })

  it('is the one declared value, whatever it looks like', () => {
    expect(returnedValues(task({ db: 'file', report: 'value' }), { report: 1 })).toEqual({
      values: { report: { report: 1 } },
    })
  })

  it('has a field for each of several declared values', () => {
    const two = task({ a: 'value', b: 'value' })
    expect(returnedValues(two, { b: 2, a: undefined, c: 3 })).toEqual({ values: { a: undefined, b: 2 } })
    expect(returnedValues(two, { a: 1 })).toEqual({ refused: 'it has no b' })
    expect(returnedValues(two, [1, 2])).toEqual({ refused: 'it is no object with a, b' })
    expect(returnedValues(task(JSON.parse('{"toString":"value","b":"value"}')), { b: 1 })).toEqual({
      refused: 'it has no toString',
    })
  })
})

describe('what a program wrote', () => {
  it('is the one unnamed value, or none, of a task that declares no outputs', () => {
    expect(programValues(task(), json([1]))).toEqual({ values: { '': [1] } })
    expect(programValues(task(), absent)).toEqual({ values: { '': undefined } })
  })

  it('has a field for each declared value, be it only one', () => {
    expect(programValues(task({ n: 'value', db: 'file' }), json({ n: 3, x: 4 }))).toEqual({
      values: { n: 3 },
    })
    expect(programValues(task({ n: 'value' }), json(3))).toEqual({ refused: 'it is no object with n' })
    expect(programValues(task({ n: 'value' }), absent)).toEqual({
      refused: 'n are declared, and ALMANAC_RESULT was not written',
    })
  })

  it('does not matter where only files are declared', () => {
    expect(programValues(task({ db: 'file' }), absent)).toEqual({ values: {} })
  })

  it('is refused where it cannot be read or cannot be kept', () => {
    expect(programValues(task(), { kind: 'refused', why: 'it is a pipe' })).toEqual({
      refused: 'it is a pipe',
    })
    const deep: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)
    expect(programValues(task(), json(deep))).toMatchObject({
      refused: expect.stringContaining('nested more than'),
    })
  })
})
