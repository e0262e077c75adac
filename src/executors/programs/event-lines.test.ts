import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEventLine } from './event-lines.ts'

const read = (line: unknown) =>
  readEventLine(typeof line === 'string' ? line : JSON.stringify(line), '/scratch')
const note = (type: string, name: string, body: unknown) => ({ kind: 'note', note: { type, name, body } })

describe('a line of ALMANAC_EVENTS', () => {
  it.each([
    [
      { type: 'event', name: 'arrived', cycle: '12', n: [1, null] },
      note('event', 'arrived', { cycle: '12', n: [1, null] }),
    ],
    [{ type: 'event', name: 'arrived', body: 'at noon' }, note('event', 'arrived', 'at noon')],
    [{ type: 'metric', name: 'rmse', value: 0.5 }, note('metric', 'rmse', { value: 0.5 })],
    [
      { type: 'metric', name: 'rmse', value: 'NaN', step: 3 },
      note('metric', 'rmse', { value: Number.NaN, step: 3 }),
    ],
    [{ type: 'progress', done: 1 }, note('progress', '', { done: 1 })],
    [{ type: 'progress', done: 1, total: 2, name: 'x' }, note('progress', '', { done: 1, total: 2 })],
    [{ type: 'progress', done: 1, total: null }, note('progress', '', { done: 1 })],
    [
      { type: 'artifact', name: 'a', kind: 'table', rows: [{ file: 'x', ok: true }] },
      note('artifact', 'a', { kind: 'table', rows: [{ file: 'x', ok: true }] }),
    ],
    [
      { type: 'artifact', name: 'a', kind: 'image', path: 'plots/mean.png' },
      note('artifact', 'a', { kind: 'image', path: '/scratch/plots/mean.png' }),
    ],
    [
      { type: 'artifact', name: 'a', kind: 'image', path: '/out/mean.png', alt: 'the mean' },
      note('artifact', 'a', { kind: 'image', path: '/out/mean.png', alt: 'the mean' }),
    ],
    [
      { type: 'artifact', name: 'a', kind: 'link', url: 'https://example.org' },
      note('artifact', 'a', { kind: 'link', url: 'https://example.org' }),
    ],
    [
      { type: 'artifact', name: 'a', kind: 'plot', spec: {} },
      note('artifact', 'a', { kind: 'plot', spec: {} }),
    ],
    [{ type: 'heartbeat' }, { kind: 'heartbeat' }],
    [{ type: 'heartbeat', name: 7, more: {} }, { kind: 'heartbeat' }],
  ])('is taken: %j', (line, said) => {
    expect(read(line)).toEqual(said)
  })

  it.each([
    ['', 'it is no JSON'],
    ['{"type":"metric","name":"x","value":NaN}', 'it is no JSON'],
    ['[]', 'it is no object'],
    ['null', 'it is no object'],
    ['7', 'it is no object'],
    ['{}', 'its type is none of event, metric, artifact, progress, heartbeat'],
    [
      { type: 'warning', name: 'x', text: 'y' },
      'its type is none of event, metric, artifact, progress, heartbeat',
    ],
    [{ type: 'event' }, 'The value at name cannot be kept: a name is a text of 1 to 256 characters.'],
    [
      { type: 'event', name: '' },
      'The value at name cannot be kept: a name is a text of 1 to 256 characters.',
    ],
    [
      { type: 'event', name: 'x'.repeat(257) },
      'The value at name cannot be kept: a name is a text of 1 to 256 characters.',
    ],
    [{ type: 'metric', name: 'x' }, 'The value at value cannot be kept: a metric is a number.'],
    [{ type: 'metric', name: 'x', value: '1' }, 'The value at value cannot be kept: a metric is a number.'],
    [
      { type: 'metric', name: 'x', value: 1, step: '1' },
      'The value at step cannot be kept: it is no number.',
    ],
    [{ type: 'progress', done: -1 }, 'The value at done cannot be kept: it is no count.'],
    [{ type: 'progress', done: 1, total: 'all' }, 'The value at total cannot be kept: it is no count.'],
    [
      { type: 'artifact', name: 'x', kind: 'video' },
      'The value at kind cannot be kept: it is none of markdown, table, image, link, plot.',
    ],
    [
      { type: 'artifact', name: 'x', kind: 'image', path: 1 },
      'The value at path cannot be kept: an artifact of kind image needs a path or a file there.',
    ],
    [
      { type: 'artifact', name: 'x', kind: 'table', rows: [1] },
      'The value at rows cannot be kept: an artifact of kind table needs a list of objects there.',
    ],
    [
      { type: 'artifact', name: 'x', kind: '__proto__' },
      'The value at kind cannot be kept: it is none of markdown, table, image, link, plot.',
    ],
  ])('is refused: %j', (line, why) => {
    expect(read(line)).toEqual({ kind: 'refused', why })
  })

  it('that is nested too deep is refused', () => {
    const deep = `{"type":"event","name":"x","body":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(read(deep)).toMatchObject({ kind: 'refused' })
  })

  it('changes no prototype', () => {
    const said = read('{"type":"event","name":"x","__proto__":{"polluted":true}}')
    expect(said).toMatchObject({ kind: 'note' })
    expect('polluted' in {}).toBe(false)
  })

  it('never throws, whatever is in it', () => {
    const field = fc.oneof(
      fc.constantFrom('type', 'name', 'value', 'kind', 'done', '__proto__', 'rows'),
      fc.string(),
    )
    const type = fc.constantFrom('event', 'metric', 'artifact', 'progress', 'heartbeat')
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), type, (fields, of) => {
        expect(['note', 'heartbeat', 'refused']).toContain(read({ ...fields, type: of }).kind)
      }),
    )
    fc.assert(fc.property(fc.string(), (text) => ['note', 'heartbeat', 'refused'].includes(read(text).kind)))
  })
})
