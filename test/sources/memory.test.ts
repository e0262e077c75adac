import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'

const MiB = 2 ** 20
const size = 1024 * MiB

let folder: string
let server: Server

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-large-'))
  const piece = Buffer.alloc(MiB, 'the quick brown fox ')
  server = createServer((request, response) => {
    const total = request.url === '/large' ? size : MiB
    response.writeHead(200, { etag: `"${total}"`, 'content-length': total })
    let left = total
    const send = (): void => {
      while (left > 0) {
        left -= piece.length
        if (!response.write(piece)) return void response.once('drain', send)
      }
      response.end()
    }
    send()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  removeTree(folder)
})

/** Bytes by which the memory of a process grew at most over that of a small download, and what it downloaded. */
async function growth(): Promise<{ readonly grown: number; readonly size: number }> {
  const module = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)
  const { port } = server.address() as AddressInfo
  const program = `
    import { open, source, workflow } from ${module}
    const almanac = await open({ project: ${JSON.stringify(folder)} })
    const size = (path) => almanac.run(
      workflow('size', async () => (await source.http({ url: 'http://127.0.0.1:${port}' + path })).size))
    const peak = () => process.resourceUsage().maxRSS * 1024
    await size('/small')
    const before = peak()
    const large = await size('/large')
    console.log(JSON.stringify({ grown: peak() - before, size: large }))
    await almanac.close()
  `
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString()
  })
  await new Promise((resolve) => child.on('close', resolve))
  return JSON.parse(said) as { grown: number; size: number }
}

it('takes memory for a gigabyte that does not depend on its size', { timeout: 300_000 }, async () => {
  const { grown, size: downloaded } = await growth()
  expect(downloaded).toBe(size)
  // what Node lets pieces of answers pile up to before it collects them: measured 78 to 119 MiB,
  // the most of them for 64 MiB
  expect(grown).toBeLessThan(192 * MiB)
})
