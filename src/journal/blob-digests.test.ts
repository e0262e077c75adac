import { expect, it } from 'vitest'
import { encode } from '../model/codec.ts'
import { FileRef, HeldRef } from '../model/refs.ts'
import { blobDigests } from './blob-digests.ts'

it('knows files, and copies of what lives in a worker’s memory', () => {
  const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
  const held = new HeldRef('key', ['x'], 'float64[1]', 8, 'python', 7, { digest: b, size: 136 })
  const wire = encode({
    file: new FileRef('f', a, 1),
    held,
    gone: new HeldRef('key', [], 't', 8, 'python', 8),
  })
  expect([...blobDigests([wire])]).toEqual([a, b])
})
