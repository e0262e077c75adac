import { expect, it } from 'vitest'
import { secretsIn } from '../../model/source.ts'
import { Veil } from './veil.ts'

const full =
  'https://me:pass%20word@host/a?day=1&X-Amz-Date=20260101T000000Z&X-Amz-Signature=0123456789abcdef'
const veil = new Veil(secretsIn(full))

it('stands for secrets wherever they are, and for nothing else', () => {
  expect(veil.text(`GET ${full} failed`)).toBe('GET … failed')
  expect(veil.text('pass word, pass%20word, 0123456789abcdef, 20260101T000000Z, day=1')).toBe(
    '…, …, …, 20260101T000000Z, day=1',
  )
  const error = { code: 'ALM_TASK_FAILED', message: full, hint: '', details: { [full]: [full, 1, null] } }
  expect(veil.error(error)).toEqual({ ...error, message: '…', details: { '…': ['…', 1, null] } })
  const at = new Date(0)
  expect(veil.note({ type: 'event', name: full, body: { at, deep: [{ full }] } })).toEqual({
    type: 'event',
    name: '…',
    body: { at, deep: [{ full: '…' }] },
  })
  expect(veil.lines([{ stream: 'stdout', text: full, at: 1 }])).toEqual([
    { stream: 'stdout', text: '…', at: 1 },
  ])
})

it('finds secrets at any depth of a value', () => {
  expect(veil.isIn({ a: [{ b: `see ${full}` }] })).toBe(true)
  expect(veil.isIn({ [`see ${full}`]: 1 })).toBe(true)
  expect(veil.isIn({ a: ['day=1', new Uint8Array(3), null, new Date(0)] })).toBe(false)
})
