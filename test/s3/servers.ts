import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3Server } from './moto.ts'
import { saying, startMoto } from './moto.ts'

/** Who the tests are, to any server. */
export const identity = {
  AWS_ACCESS_KEY_ID: 'almanac',
  AWS_SECRET_ACCESS_KEY: 'almanac-secret',
  AWS_REGION: 'us-east-1',
}

/** Starts a program on the port, with a folder of its own. */
type Start = (program: string, port: number, folder: string) => ChildProcessWithoutNullStreams

/** moto always; the others where their programs are named: building them takes minutes and Go, see `.ci/run`. */
export const servers: readonly (readonly [name: string, start: () => Promise<S3Server>])[] = [
  ['moto', startMoto],
  ...program('versitygw', 'ALMANAC_TEST_VERSITYGW', (program, port, folder) => {
    const { AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret } = identity
    const words = ['--access', access, '--secret', secret, '--port', `127.0.0.1:${port}`]
    return spawn(program, [...words, 'posix', folder])
  }),
  ...program('minio', 'ALMANAC_TEST_MINIO', (program, port, folder) => {
    const { AWS_ACCESS_KEY_ID: user, AWS_SECRET_ACCESS_KEY: password } = identity
    const env = { ...process.env, MINIO_ROOT_USER: user, MINIO_ROOT_PASSWORD: password }
    const words = ['--address', `127.0.0.1:${port}`, '--console-address', '127.0.0.1:0']
    return spawn(program, ['server', ...words, folder], { env })
  }),
]

function program(name: string, variable: string, start: Start) {
  const path = process.env[variable]
  if (path === undefined) return []
  return [[name, () => startProgram(name, (port, folder) => start(path, port, folder))]] as const
}

async function startProgram(
  name: string,
  start: (port: number, folder: string) => ChildProcessWithoutNullStreams,
): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), `almanac-${name}-`))
  const { server, port } = await listening((port) => start(port, folder))
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async stop() {
      server.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Starts a program that must be told its port: on another one where somebody was given that meanwhile. */
async function listening(start: (port: number) => ChildProcessWithoutNullStreams) {
  for (;;) {
    const port = await freePort()
    const server = start(port)
    try {
      await saying(server, new RegExp(String(port)))
      // it says so before it listens
      while (server.exitCode === null && !(await accepts(port)));
      if (server.exitCode === null) return { server, port }
    } catch (error) {
      if (!/address already in use/i.test(String(error))) throw error
    }
  }
}

function freePort(): Promise<number> {
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

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

export function clientOf({ endpoint }: Pick<S3Server, 'endpoint'>): S3Client {
  const credentials = {
    accessKeyId: identity.AWS_ACCESS_KEY_ID,
    secretAccessKey: identity.AWS_SECRET_ACCESS_KEY,
  }
  return new S3Client({ endpoint, region: identity.AWS_REGION, forcePathStyle: true, credentials })
}

let buckets = 0

/** A bucket that no test has used. */
export async function newBucket(server: Pick<S3Server, 'endpoint'>): Promise<string> {
  const name = `almanac-test-${process.pid}-${++buckets}`
  const client = clientOf(server)
  await client.send(new CreateBucketCommand({ Bucket: name }))
  client.destroy()
  return name
}

/** Puts other bytes under a key, as somebody else might. */
export async function overwrite(
  server: Pick<S3Server, 'endpoint'>,
  bucket: string,
  key: string,
  bytes: Uint8Array,
): Promise<void> {
  const client = clientOf(server)
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }))
  client.destroy()
}
