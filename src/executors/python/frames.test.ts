import { expect, test } from 'vitest'
import { FrameReader, framesOf } from './frames.ts'

test('messages of one turn go in frames that are far from the longest text, and come in their order', () => {
  const long = JSON.stringify('x'.repeat(10 * 2 ** 20))
  const messages = ['[1]', '[2]', long, long, '[3]', long]
  const frames = [...framesOf(messages)]
  expect(frames.map((frame) => JSON.parse(frame.toString('utf8', 4)).length)).toEqual([3, 2, 1])
  const reader = new FrameReader()
  expect(frames.flatMap((frame) => reader.push(frame))).toEqual(messages.map((text) => JSON.parse(text)))
  expect([...framesOf([])]).toEqual([])
})
