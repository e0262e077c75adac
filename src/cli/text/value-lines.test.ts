import { expect, it } from 'vitest'
import { FileRef } from '../../model/refs.ts'
import { MemoryData } from '../../testing/memory/memory-data.ts'
import { filesOf } from './value-lines.ts'

it('tells where the files among the fields of a value can be opened, and of no other field', async () => {
  const data = new MemoryData()
  data.files.write('/fit.png', new Uint8Array(3))
  const there = (await data.scan('/fit.png')) as FileRef
  const gone = new FileRef('0'.repeat(64), 'gone.png', 3)
  expect(await filesOf({ fit: there, range: 13, gone, within: { fit: there } }, data)).toEqual({
    fit: await data.open(there),
  })
  expect(await filesOf(there, data)).toEqual({ file: await data.open(there) })
  expect(await Promise.all([null, 'text', 3].map((value) => filesOf(value, data)))).toEqual([{}, {}, {}])
})
