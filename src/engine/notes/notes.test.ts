import { expect, it } from 'vitest'
import { decode } from '../../model/codec.ts'
import type { JournalRecord } from '../../model/records.ts'
import { FileRef } from '../../model/refs.ts'
import { MemoryData } from '../../testing/memory/memory-data.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { Notes } from './notes.ts'

function rig() {
  const added: JournalRecord[] = []
  const data = new MemoryData()
  const ports = { clock: new VirtualClock(), data }
  const notes = new Notes({ recorder: { add: (record) => void added.push(record) }, listener: {}, ports })
  const image = (name: string, path: string, call = 1) =>
    notes.said({ type: 'artifact', name, body: { kind: 'image', path } }, undefined, { call, attempt: 1 })
  const metric = (name: string, call = 1) =>
    notes.said({ type: 'metric', name, body: { value: 1 } }, undefined, { call, attempt: 1 })
  const said = () =>
    added.map((record) => {
      if (record.kind !== 'note') return record.kind
      const { path } = decode(record.bodyWire) as { readonly path?: unknown }
      return path instanceof FileRef ? `${record.name} ${path.size}` : record.name
    })
  return { data, image, metric, said }
}

it('keeps what a task says in its order, though images take a while to be taken in', async () => {
  const { data, image, metric, said } = rig()
  data.files.write('/large.png', new Uint8Array(9))
  data.files.write('/small.png', new Uint8Array(3))
  const taking = [image('fit', '/large.png'), image('fit', '/small.png'), image('gone', '/nowhere.png')]
  taking.push(metric('after'))
  // another call does not wait
  expect(metric('other', 2)).toBeUndefined()
  await Promise.all(taking)
  // one that cannot be had is said with a warning
  expect(said()).toEqual(['other', 'fit 9', 'fit 3', 'gone', 'gone', 'after'])
  expect(metric('later')).toBeUndefined()
  expect(said().at(-1)).toBe('later')
})
