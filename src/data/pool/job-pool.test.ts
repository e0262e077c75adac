import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failure } from '../../testing/contracts/data-fixture.ts'
import type { HashJob } from '../scan/hash-files.ts'
import { newRows, setRow } from '../scan/state-rows.ts'
import { JobPool } from './job-pool.ts'

let directory: string
let pool: JobPool

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'almanac-pool-'))
  pool = new JobPool(2)
})

afterEach(async () => {
  await pool.close()
  rmSync(directory, { recursive: true })
})

function hashJob(name: string, content: string, heavy: boolean): HashJob {
  const path = join(directory, name)
  writeFileSync(path, content)
  const rows = newRows(1)
  setRow(rows, 0, lstatSync(path, { bigint: true }))
  return { kind: 'hash', paths: [path], rows, heavy }
}

describe('the job pool', () => {
  it('gives results in the order of the jobs, whoever did them', async () => {
    const jobs = Array.from({ length: 40 }, (_, i) => hashJob(`${i}`, `content ${i % 10}`, i % 3 === 0))
    const digests = (await pool.runAll(jobs)).map((bytes) => Buffer.from(bytes).toString('hex'))
    expect(digests).toEqual(jobs.map((job) => Buffer.from(pool.runHere(job)).toString('hex')))
    expect(new Set(digests).size).toBe(10)
  })

  it('gives the errors of threads with their code and details', async () => {
    const job = hashJob('x', 'x', true)
    rmSync(join(directory, 'x'))
    const changed = failure('ALM_INPUT_CHANGED', { path: join(directory, 'x') })
    await expect(pool.run(job)).rejects.toEqual(changed)
    await expect(pool.runAll([hashJob('y', 'y', true), job])).rejects.toEqual(changed)
    expect(await pool.run(hashJob('y', 'y', true))).toHaveLength(32)
  })

  it('ends all jobs when it is closed', async () => {
    const jobs = Array.from({ length: 20 }, (_, i) => pool.run(hashJob(`${i}`, 'x', true)))
    const ends = Promise.allSettled(jobs)
    await pool.close()
    const reasons = (await ends).flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    expect(reasons.length).toBeGreaterThan(10)
    for (const reason of reasons) expect(reason).toEqual(failure('ALM_CANCELLED'))
    await expect(pool.run(hashJob('late', 'x', true))).rejects.toEqual(failure('ALM_CANCELLED'))
  })
})
