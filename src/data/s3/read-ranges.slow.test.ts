import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test, vi } from 'vitest'
import { openS3 } from './open.ts'

const partBytes = 1024
const object = Buffer.from(Array.from({ length: 10 * partBytes + 7 }, (_, i) => i % 251))

test('of all objects that are read at once no more ranges are in memory than requests may be under way', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b')
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    const [, from = '', to = ''] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
    const bytes = object.subarray(Number(from), Number(to) + 1)
    const end = Number(from) + bytes.length - 1
    response.writeHead(206, { 'content-range': `bytes ${from}-${end}/${object.length}`, etag: '"1"' })
    response.end(bytes)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const objects = await openS3({ bucket: 'bucket', prefix: '', endpoint }, { partBytes })
  const go = Promise.withResolvers<void>()
  const read = async (key: string): Promise<Buffer> => {
    const pieces: Uint8Array[] = []
    await objects.read(key, async (piece) => {
      // the first of each is taken at once, so that the others are asked for
      if (pieces.push(piece) > 1) await go.promise
    })
    return Buffer.concat(pieces)
  }
  const reading = Promise.all(['a', 'b', 'c', 'd'].map(read))
  const beyondFirst = () => asked - 4
  await expect.poll(beyondFirst).toBeGreaterThanOrEqual(8)
  // an answer over the loop's own network takes a few turns
  for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate)
  expect(beyondFirst()).toBe(8)
  go.resolve()
  for (const bytes of await reading) expect(bytes.equals(object)).toBe(true)
  objects.close()
  server.close()
  vi.unstubAllEnvs()
})
