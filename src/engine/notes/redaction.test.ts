import { expect, it } from 'vitest'
import { secretsIn } from '../../model/source.ts'
import { Redaction } from './redaction.ts'

const full =
  'https://me:pass%20word@host/a?day=1&X-Amz-Date=20260101T000000Z&X-Amz-Signature=0123456789abcdef'
const redaction = new Redaction(secretsIn(full))

it('stands for secrets wherever they are, and for nothing else', () => {
  expect(redaction.text(`GET ${full} failed`)).toBe('GET … failed')
  expect(redaction.text('pass word, pass%20word, 0123456789abcdef, 20260101T000000Z, day=1')).toBe(
    '…, …, …, 20260101T000000Z, day=1',
  )
  const error = { code: 'ALM_TASK_FAILED', message: full, hint: '', details: { [full]: [full, 1, null] } }
  expect(redaction.error(error)).toEqual({ ...error, message: '…', details: { '…': ['…', 1, null] } })
  const at = new Date(0)
  expect(redaction.note({ type: 'event', name: full, body: { at, deep: [{ full }] } })).toEqual({
    type: 'event',
    name: '…',
    body: { at, deep: [{ full: '…' }] },
  })
  expect(redaction.lines([{ stream: 'stdout', text: full, at: 1 }])).toEqual([
    { stream: 'stdout', text: '…', at: 1 },
  ])
})

it('finds secrets at any depth of a value', () => {
  expect(redaction.isIn({ a: [{ b: `see ${full}` }] })).toBe(true)
  expect(redaction.isIn({ [`see ${full}`]: 1 })).toBe(true)
  expect(redaction.isIn({ a: ['day=1', new Uint8Array(3), null, new Date(0)] })).toBe(false)
})
