import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
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
  const installed = install()
  const port = await freePort()
  const words = ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)]
  const server = spawn('python3', words, { env: { ...process.env, PYTHONPATH: installed } })
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await saying(server, 'Running on')
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async stop() {
      server.kill('SIGKILL')
      await exited
    },
  }
}

/** Apart from all else that is installed, and once for all files of tests. */
function install(): string {
  const key = createHash('sha256').update(packages.join()).digest('hex').slice(0, 12)
  const folder = join(tmpdir(), `almanac-moto-${key}`)
  if (existsSync(folder)) return folder
  const temporary = mkdtempSync(`${folder}-`)
  const words = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--target', temporary]
  const { status, stderr, error } = spawnSync('python3', [...words, ...packages], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`moto was not installed: ${error?.message ?? stderr}`)
  try {
    renameSync(temporary, folder)
  } catch (failure) {
    // another process has been faster
    if (!existsSync(folder)) throw failure
    rmSync(temporary, { recursive: true })
  }
  return folder
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
