import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findPython } from '../../src/executors/python/interpreter.ts'

const host = fileURLToPath(new URL('./debug-host.ts', import.meta.url))
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'debug-'))
  file = join(folder, 'steps.py')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Talks to the host in a terminal; what that showed. */
async function inTerminal(
  conversation: readonly (readonly [expected: string, answer: string])[],
  debug = 'pdb',
): Promise<string> {
  const { python } = await findPython(undefined)
  const command = [process.execPath, host, debug, file]
  const { stdout, stderr, status } = spawnSync(python, [here('terminal.py'), ...command], {
    input: JSON.stringify(conversation),
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.replaceAll('\r\n', '\n')
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
  const exited = once(child, 'exit')
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const port = await new Promise<number>((resolve) => {
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk
      const [, found] = /debugpy listens on 127\.0\.0\.1:(\d+): attach/.exec(text) ?? []
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
  client.close()
  expect(said).toBe('n20 succeeded {"":40}\nn30 succeeded {"":60}\nall ended\n')
})

/** As much of the Debug Adapter Protocol as the test needs. */
class DebugClient {
  readonly #socket
  #rest = Buffer.alloc(0)
  #seq = 0
  readonly #answers = new Map<number, (body: Record<string, unknown>) => void>()
  readonly #events: { readonly event: string; readonly body: Record<string, unknown> }[] = []
  #wake: () => void = () => undefined

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('error', () => undefined)
    this.#socket.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk])
      this.#read()
    })
  }

  send(command: string, body: object): number {
    this.#seq += 1
    const text = JSON.stringify({ seq: this.#seq, type: 'request', command, arguments: body })
    this.#socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
    return this.#seq
  }

  request(command: string, body: object): Promise<Record<string, unknown>> {
    return new Promise((resolve) => {
      this.#answers.set(this.send(command, body), resolve)
    })
  }

  /** The next event of that name. */
  async event(name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const at = this.#events.findIndex(({ event }) => event === name)
      if (at >= 0) return this.#events.splice(at, 1)[0]?.body ?? {}
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(): void {
    for (;;) {
      const [head, length] = /^Content-Length: (\d+)\r\n\r\n/.exec(this.#rest.toString('latin1', 0, 64)) ?? []
      if (head === undefined || this.#rest.length < head.length + Number(length)) return
      const end = head.length + Number(length)
      const message = JSON.parse(this.#rest.toString('utf8', head.length, end)) as {
        readonly type: string
        readonly event?: string
        readonly request_seq?: number
        readonly body?: Record<string, unknown>
      }
      this.#rest = this.#rest.subarray(end)
      if (message.event !== undefined) this.#events.push({ event: message.event, body: message.body ?? {} })
      else this.#answers.get(message.request_seq ?? 0)?.(message.body ?? {})
      this.#wake()
    }
  }
}
