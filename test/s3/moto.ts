import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A server that speaks S3, in memory: Python's moto, installed for the tests that ask for it. */
export interface S3Server {
  readonly endpoint: string
  stop(): Promise<void>
}

/** What `moto_server -H … -p …` needs for S3; the extra `server` brings ten times as much. */
const packages = [
  'moto==5.2.5',
  'flask==3.1.3',
  'flask-cors==6.0.5',
  'py-partiql-parser==0.6.3',
  'PyYAML==6.0.3',
]

export async function startMoto(): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 'almanac-moto-'))
  const python = join(folder, 'bin/python')
  run('python3', ['-m', 'venv', folder])
  run(python, ['-m', 'pip', 'install', '-q', '--no-compile', '--disable-pip-version-check', ...packages])
  const port = await freePort()
  const words = ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)]
  const server = spawn(python, words, { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } })
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const endpoint = `http://127.0.0.1:${port}`
  await saying(server, 'Running on')
  return {
    endpoint,
    async stop() {
      server.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/** Resolves when the program has said so; what it says later is thrown away. */
export function saying(server: ChildProcessWithoutNullStreams, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (text: Buffer) => {
      if (said.includes(word)) return
      said += text.toString()
      if (said.includes(word)) resolve()
    }
    server.stdout.on('data', hear)
    server.stderr.on('data', hear)
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`the server ended: ${said}`)))
  })
}

function run(program: string, words: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8', timeout: 240_000 })
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error?.message ?? stderr}`)
}
