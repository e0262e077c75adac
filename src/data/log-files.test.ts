import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LogFiles } from './log-files.ts'

let home: string
let logs: LogFiles
beforeEach(() => {
  home = mkdtempSync(`${tmpdir()}/almanac-logs-`)
  logs = new LogFiles(home, (error) => {
    throw error
  })
})
afterEach(() => rmSync(home, { recursive: true }))

async function write(...texts: readonly string[]): Promise<void> {
  logs.write(
    'run',
    1,
    1,
    texts.map((text) => ({ at: 0, stream: 'stdout', text })),
  )
  await logs.flush()
}

const read = async (byte = 0, limit = 100) => {
  const { lines, next } = await logs.read('run', 1, { attempt: 1, byte }, limit)
  return { texts: lines.map(({ text }) => text), next: next.byte }
}

it('gives each line as it was printed, whatever characters are in it', async () => {
  const texts = ['one\u2028two\u2029three\u0085four', 'cr\rlf\ncrlf\r\n', '🌍'.repeat(40_000), 'last']
  await write(...texts)
  expect((await read()).texts).toEqual(texts)
})

it('goes on where it was, after a line of any characters', async () => {
  await write('ä\u2028b', 'c\u2029d', 'e')
  const first = await read(0, 1)
  const second = await read(first.next, 1)
  const third = await read(second.next)
  expect([first.texts, second.texts, third.texts]).toEqual([['ä\u2028b'], ['c\u2029d'], ['e']])
})

it('gives a line that is still being written when it is whole', async () => {
  await write('one')
  const path = logs.pathOf('run', 1, 1)
  appendFileSync(path, '{"at":0,"stream":"stdout","te')
  const first = await read()
  appendFileSync(path, 'xt":"two"}\n')
  expect([first.texts, (await read(first.next)).texts]).toEqual([['one'], ['two']])
})

it('says of a line that was damaged where it is, and goes on with the next', async () => {
  await write('one')
  const path = logs.pathOf('run', 1, 1)
  appendFileSync(path, '{"at":0,"str\0\0\0\n')
  await write('three')
  const texts = ['one', '(15 bytes of this log are damaged, at byte 40 of its file)', 'three']
  expect((await read()).texts).toEqual(texts)
  const first = await read(0, 2)
  expect([first.texts, (await read(first.next)).texts]).toEqual([texts.slice(0, 2), texts.slice(2)])
})
