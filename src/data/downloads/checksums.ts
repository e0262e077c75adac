import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { ChecksumAlgorithm } from '../../ports/downloads.ts'
import { storeError } from '../files/failures.ts'

interface Running {
  update(bytes: Buffer): void
  digest(): string
}

/** Checksums of a file of ours, in hexadecimal; it is read once for all. */
export async function checksumsOf(
  path: string,
  algorithms: readonly ChecksumAlgorithm[],
): Promise<Readonly<Record<string, string>>> {
  const running = algorithms.map((name) => [name, runningOf(name)] as const)
  if (running.length === 0) return {}
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      for (const [, one] of running) one.update(chunk as Buffer)
    }
  } catch (error) {
    throw storeError(error, path)
  }
  return Object.fromEntries(running.map(([name, one]) => [name, one.digest()]))
}

function runningOf(name: ChecksumAlgorithm): Running {
  if (name === 'crc32') return crc((bytes, before) => crc32(bytes, before))
  if (name === 'crc32c') return crc(castagnoli)
  const whole = createHash(name)
  return { update: (bytes) => void whole.update(bytes), digest: () => whole.digest('hex') }
}

function crc(step: (bytes: Buffer, before: number) => number): Running {
  let value = 0
  return {
    update: (bytes) => {
      value = step(bytes, value)
    },
    digest: () => (value >>> 0).toString(16).padStart(8, '0'),
  }
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0x82f63b78 ^ (value >>> 1) : value >>> 1
  return value >>> 0
})

function castagnoli(bytes: Buffer, before: number): number {
  let value = ~before
  for (const byte of bytes) value = (table[(value ^ byte) & 0xff] as number) ^ (value >>> 8)
  return ~value >>> 0
}
