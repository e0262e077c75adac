import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { Project } from '../cli/almanac.ts'

/** Arrays that only live in workers' memory, and the run cache. */

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url))
let project: Project

const steps = `
import numpy as np

def ramp(size):
    return np.arange(size, dtype="float64")

def twice(array):
    return 2 * array

def total(array):
    return float(array.sum())
`

const pipeline = (ramp: string) => `
import { json, python, workflow } from 'almanac'
const env = python.env('requirements.txt')
const of = (run, input, cache) => python.task({ env, run: 'steps.py:' + run, input: { [input]: json() }, ...cache })
export const ramp = of('ramp', 'size', ${ramp})
export const twice = of('twice', 'array', { cache: true })
export const total = of('total', 'array', { cache: true })
export default workflow('arrays', async () => total({ array: twice({ array: ramp({ size: 5 }) }) }))
`

beforeEach(async () => {
  await ensurePythonEnv({ requirements })
  project = await Project.make({ 'steps.py': steps, 'pipeline.js': pipeline('{ cache: true }') })
  await copyFile(requirements, join(project.folder, 'requirements.txt'))
}, 600_000)
afterEach(() => project.remove())

async function ran(): Promise<readonly unknown[]> {
  const { state, executed, reused, output, error } = await project.json('run', 'pipeline.js')
  if (state !== 'succeeded') throw new Error(JSON.stringify(error))
  return [executed, reused, output]
}

const edit = async (from: string, to: string): Promise<void> => {
  const text = await readFile(join(project.folder, 'steps.py'), 'utf8')
  await project.write({ 'steps.py': text.replace(from, to) })
}

describe('a task with cache: true that takes or gives an array in memory', () => {
  it('is not executed by another run; what an edited one needs is made again', async () => {
    expect(await ran()).toEqual([3, 0, 20])
    expect(await ran()).toEqual([0, 3, 20])
    await edit('float(array.sum())', 'float(array.sum()) + 1')
    expect(await ran(), 'the arrays are made again, but their calls are known').toEqual([1, 2, 21])
    await edit('2 * array', '3 * array')
    expect(await ran()).toEqual([2, 1, 31])
    await edit('np.arange(size,', 'np.arange(1, size + 1,')
    expect(await ran(), 'what is in an array counts by the code that made it').toEqual([3, 0, 46])
  })

  it('is executed where the array comes of a call that is not cached: nobody knows what is in it', async () => {
    await project.write({ 'pipeline.js': pipeline('{}') })
    expect(await ran()).toEqual([3, 0, 20])
    await edit('np.arange(size,', 'np.arange(1, size + 1,')
    expect(await ran()).toEqual([3, 0, 30])
    expect(await ran()).toEqual([3, 0, 30])
  })
})
