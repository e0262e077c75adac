import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

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
  const installed = await install()
  // a port that nobody else can have taken before: it says which one it was given
  const words = ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0']
  const server = spawn('python3', words, { env: { ...process.env, PYTHONPATH: installed } })
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const [, endpoint = ''] = await saying(server, /Running on (http:\/\/[\d.]+:\d+)\s/)
  return {
    endpoint,
    async stop() {
      server.kill('SIGKILL')
      await exited
    },
  }
}

/** Apart from all else that is installed, and once for all files of tests. */
async function install(): Promise<string> {
  const key = createHash('sha256').update(packages.join()).digest('hex').slice(0, 12)
  const folder = join(tmpdir(), `almanac-moto-${key}`)
  if (existsSync(folder)) return folder
  const temporary = mkdtempSync(`${folder}-`)
  const words = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--target', temporary]
  await promisify(execFile)('python3', [...words, ...packages])
  try {
    renameSync(temporary, folder)
  } catch (failure) {
    // another process has been faster
    if (!existsSync(folder)) throw failure
    rmSync(temporary, { recursive: true })
  }
  return folder
}

/** Resolves when the program has said so; what it says later is thrown away. */
export function saying(server: ChildProcessWithoutNullStreams, what: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let said = ''
    let found: RegExpExecArray | null = null
    const hear = (text: Buffer) => {
      if (found !== null) return
      said += text.toString()
      found = what.exec(said)
      if (found !== null) resolve(found)
    }
    server.stdout.on('data', hear)
    server.stderr.on('data', hear)
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`the server ended: ${said}`)))
  })
}
