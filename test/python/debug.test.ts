import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { DebugClient } from './debug-client.ts'
import { onTerminal } from './terminal.ts'

const host = fileURLToPath(new URL('./debug-host.ts', import.meta.url))
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'debug-'))
  file = join(folder, 'steps.py')
})
afterEach(() => removeTree(folder))

/** Talks to the host in a terminal; what that showed. */
async function inTerminal(
  conversation: readonly (readonly [expected: string, answer: string])[],
  debug = 'pdb',
): Promise<string> {
  return onTerminal([process.execPath, host, debug, file], conversation)
}

it('breakpoint() stops in the terminal under pdb, one task at a time, however long one looks', async () => {
  writeFileSync(
    file,
    'def f(n):\n    double = 2 * n\n    breakpoint()\n    print("printed", n)\n    return double\n',
  )
  const shown = await inTerminal([
    ['(Pdb) ', 'p "is", double\n'],
    ["('is', 40)", ''],
    ['(Pdb) ', 'double = 7\n'],
    ['(Pdb) ', 'c\n'],
    ['printed 20', ''],
    ['(Pdb) ', 'p "and", n\n'],
    ["('and', 30)", ''],
    ['(Pdb) ', 'c\n'],
    ['printed 30', ''],
  ])
  expect(shown.trimEnd().split('\n').slice(-3)).toEqual([
    'n20 succeeded {"":7}',
    'n30 succeeded {"":60}',
    'all ended',
  ])
})

it('a task that is left from pdb fails and is not tried again', async () => {
  writeFileSync(file, 'def f(n):\n    if n == 20:\n        breakpoint()\n    return n\n')
  const shown = await inTerminal([['(Pdb) ', 'q\n']])
  expect(shown).toContain('n20 failed BdbQuit')
  expect(shown).toContain('n30 succeeded {"":30}')
})

it('debugpy that is not installed is told', async () => {
  writeFileSync(file, 'def f(n):\n    return n\n')
  const shown = await inTerminal([], 'debugpy')
  expect(shown).toContain('n20 failed undefined debugpy is not installed.')
})

it('debugpy says where it listens and waits for a debugger, which stops at breakpoints', async () => {
  writeFileSync(file, 'def f(n):\n    double = 2 * n\n    return double\n')
  const child = spawn(process.execPath, [host, 'debugpy', file, here('requirements.txt')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [exited, closed] = [once(child, 'exit'), once(child, 'close')]
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const port = await new Promise<number>((resolve) => {
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk
      const [, found] = /tasks: debugpy listens on 127\.0\.0\.1:(\d+): attach/.exec(text) ?? []
      if (found !== undefined) resolve(Number(found))
    })
  })
  const client = new DebugClient(port)
  client.send('initialize', { adapterID: 'test' })
  client.send('attach', { justMyCode: true })
  await client.event('initialized')
  client.send('setBreakpoints', { source: { path: file }, breakpoints: [{ line: 3 }] })
  client.send('configurationDone', {})
  for (const double of ['40', '60']) {
    const { threadId } = await client.event('stopped')
    const { stackFrames } = await client.request('stackTrace', { threadId })
    const [frame] = stackFrames as { id: number; name: string; line: number }[]
    expect(frame).toMatchObject({ name: 'f', line: 3 })
    expect(await client.request('evaluate', { expression: 'double', frameId: frame?.id })).toMatchObject({
      result: double,
    })
    client.send('continue', { threadId })
  }
  await exited
  // the adapter leaves with its client, and what was said is whole when nobody holds the pipe any more
  client.close()
  await closed
  expect(said).toBe('n20 succeeded {"":40}\nn30 succeeded {"":60}\nall ended\n')
})
