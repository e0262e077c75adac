import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { memoryLimit } from './memory-limit.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-groups-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function limit(groups: string, files: Readonly<Record<string, string>>): number {
  for (const [path, text] of Object.entries({ ...files, groups })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return memoryLimit(join(folder, 'groups'), folder)
}

it('is that of the job, where the process is in a group of it that has none', () => {
  const files = {
    'slurm/job_7/memory.max': '4294967296\n',
    'slurm/job_7/step_0/memory.max': 'max\n',
    'slurm/memory.max': 'max\n',
  }
  expect(limit('0::/slurm/job_7/step_0\n', files)).toBe(2 ** 32)
})

it('is the least of several, of its own group too', () => {
  const files = { 'a/memory.max': '3000\n', 'a/b/memory.max': '2000\n', 'memory.max': '5000\n' }
  expect(limit('0::/a/b\n', files)).toBe(2000)
})

it('is what a group of version 1 says that holds of all around it', () => {
  const stat = 'cache 5\nhierarchical_memory_limit 4294967296\nhierarchical_memsw_limit 9223372036854771712\n'
  expect(limit('4:cpu,memory:/job/task\n0::/\n', { 'memory/job/task/memory.stat': stat })).toBe(2 ** 32)
})

it('is none where there are no groups, or none that can be looked at', () => {
  expect([memoryLimit(join(folder, 'nowhere')), limit('0::/gone\n7:memory:/gone\nnonsense\n', {})]).toEqual([
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ])
})
