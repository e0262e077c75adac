import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TreeMemory } from './tree-memory.ts'

let folder: string
let proc: string
let shared: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-memory-'))
  proc = join(folder, 'proc')
  shared = join(folder, 'shm')
  mkdirSync(shared)
})
afterEach(() => rmSync(folder, { recursive: true }))

function aProcess(pid: number, pss: number, pssShmem: number): void {
  mkdirSync(join(proc, String(pid)), { recursive: true })
  const lines = ['Rss:  9999 kB', `Pss:  ${pss} kB`, `Pss_Shmem:  ${pssShmem} kB`, 'Shared_Clean: 1 kB', '']
  writeFileSync(join(proc, String(pid), 'smaps_rollup'), lines.join('\n'))
}

/** @returns kilobytes that the file takes on the file system of the test */
function aSegment(name: string, kilobytes: number): number {
  writeFileSync(join(shared, name), Buffer.alloc(kilobytes * 1024, 1))
  return statSync(join(shared, name)).blocks / 2
}

const kilobytesOf = (memory: TreeMemory): number => memory.bytes([7, 8]) / 1024

it('is what processes have for themselves and their shares of the rest', () => {
  aProcess(7, 300, 20)
  aProcess(8, 200, 0)
  expect(kilobytesOf(new TreeMemory(shared, proc))).toBe(500)
})

it('has segments that nobody maps besides, and those that are mapped once', () => {
  const memory = new TreeMemory(shared, proc)
  const segments = aSegment('almanac-x-7-123-1-m0', 64) + aSegment('psm_1', 32)
  aProcess(7, 300, 20)
  aProcess(8, 200, 10)
  expect(kilobytesOf(memory)).toBe(500 + segments - 30)
})

it('is not less where more is mapped than there are segments, as memory is shared without files too', () => {
  const memory = new TreeMemory(shared, proc)
  aSegment('psm_1', 32)
  aProcess(7, 300, 250)
  expect(kilobytesOf(memory)).toBe(300)
})

it('leaves out segments that were there before, and those of other runs on the machine', () => {
  aSegment('psm_0', 64)
  const memory = new TreeMemory(shared, proc)
  aSegment('almanac-x-99-123-1-m0', 64)
  aProcess(7, 300, 0)
  expect(kilobytesOf(memory)).toBe(300)
})

it('is nothing of processes that have ended, where no files are in memory', () => {
  expect(kilobytesOf(new TreeMemory(join(folder, 'none'), proc))).toBe(0)
})
