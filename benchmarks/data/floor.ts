import { createHash } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/**
 * The least that hashing, or copying, the files of a directory takes in two threads, with nothing around it:
 *
 *     node benchmarks/data/floor.ts hash|copy|synced|early DIRECTORY
 *
 * `synced`: all are synced when the last is copied; `early`: each when it is, while others are.
 */

type Mode = 'hash' | 'copy' | 'synced' | 'early'

interface Place {
  readonly mode: Mode
  readonly from: string
  readonly to: string
}

if (isMainThread) await measure(process.argv[2] as Mode, process.argv[3] as string)
else work(workerData as Place)

async function measure(mode: Mode, from: string): Promise<void> {
  const to = mkdtempSync(join(tmpdir(), 'almanac-floor-'))
  const began = performance.now()
  const queue = readdirSync(from)
  const all = [...queue]
  const syncs: Promise<void>[] = []
  const thread = (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { mode, from, to } satisfies Place })
    return new Promise((resolve, reject) => {
      const next = (): void => {
        const name = queue.shift()
        if (name === undefined) void worker.terminate().then(() => resolve())
        else worker.postMessage(name)
      }
      worker.on('error', reject)
      worker.on('message', (name: string) => {
        if (mode === 'early') syncs.push(syncAt(join(to, name)))
        next()
      })
      next()
    })
  }
  await Promise.all([thread(), thread()])
  const worked = performance.now() - began
  if (mode === 'synced') syncs.push(...all.map((name) => syncAt(join(to, name))))
  await Promise.all(syncs)
  const { user, system } = process.cpuUsage()
  const seconds = (ms: number): string => (ms / 1000).toFixed(2)
  console.log(
    `${mode}: ${seconds(performance.now() - began)} s, of which ${seconds(performance.now() - began - worked)} s for the disk; ` +
      `CPU ${seconds((user + system) / 1000)} s`,
  )
  rmSync(to, { recursive: true })
}

async function syncAt(path: string): Promise<void> {
  const file = await open(path, 'r')
  await file.sync()
  await file.close()
}

function work({ mode, from, to }: Place): void {
  const piece = Buffer.allocUnsafeSlow(1 << 20)
  parentPort?.on('message', (name: string) => {
    const file = openSync(join(from, name), 'r')
    const copy = mode === 'hash' ? undefined : openSync(join(to, name), 'w')
    const whole = createHash('sha256')
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      whole.update(piece.subarray(0, read))
      if (copy !== undefined) writeSync(copy, piece, 0, read)
    }
    whole.digest('hex')
    closeSync(file)
    if (copy !== undefined) closeSync(copy)
    parentPort?.postMessage(name)
  })
}
