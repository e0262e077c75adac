import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
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

const mapped = (cache: string) => `
import { dir, file, json, python, task, workflow } from 'almanac'
const env = python.env('requirements.txt')
const options = { env, cache: ${cache} }
export const read = python.task({ ...options, run: 'read.py:read', input: { file: file() } })
export const total = python.task({ ...options, run: 'read.py:total', input: { array: json() } })
export const scaled = python.task({ ...options, run: 'read.py:scaled', input: { file: file(), by: json() } })
export const ramp = python.task({ env, run: 'steps.py:ramp', input: { size: json() } })
export const sizes = task('sizes', () => [2, 3])
const data = { input: { data: dir() } }
export const files = workflow('files', data, async ({ data }) => {
  const arrays = await read.map(data).all()
  return Promise.all(arrays.map((array) => total({ array })))
})
export const list = workflow('list', async () => total.map(ramp.map(sizes()).all()).all())
export const inputs = workflow('inputs', data, async ({ data }) =>
  scaled.map(data, { with: { by: ramp({ size: 3 }) } }).all())
`

const readers = `
import os
import numpy as np

def read(file):
    return np.loadtxt(file)

def scaled(file, by):
    return float(np.loadtxt(file).sum() * by[2])

def total(array):
    if os.path.exists(os.path.join(os.path.dirname(__file__), "broken")):
        raise ValueError("broken")
    return float(array.sum())
`

describe('a map that takes or gives arrays in memory', () => {
  beforeEach(async () => {
    await mkdir(join(project.folder, 'data'))
    await project.write({ 'read.py': readers, 'data/a': '1 2', 'data/b': '3 4' })
  })

  const mapping = async (...words: string[]): Promise<readonly unknown[]> => {
    const { state, executed, reused, output } = await project.json(...words)
    return [state, executed, reused, output]
  }
  const repair = () => rm(join(project.folder, 'broken'))
  const run = (name: string) => mapping('run', `pipeline.js:${name}`, '--input', 'data=data')

  it('is executed by another run, which has none of the arrays, unless its task says cache: true', async () => {
    await project.write({ 'pipeline.js': mapped('undefined') })
    expect(await run('files')).toEqual(['succeeded', 4, 0, [3, 7]])
    expect(await run('files')).toEqual(['succeeded', 4, 0, [3, 7]])
    await project.write({ 'pipeline.js': mapped('true') })
    expect(await run('files')).toEqual(['succeeded', 4, 0, [3, 7]])
    expect(await run('files')).toEqual(['succeeded', 0, 4, [3, 7]])
    await project.write({ 'data/b': '3 5' })
    expect(await run('files')).toEqual(['succeeded', 2, 2, [3, 8]])
  })

  it('is remembered by its run entry by entry, and makes arrays again that are needed', async () => {
    await project.write({ 'pipeline.js': mapped('undefined'), broken: '' })
    expect((await run('files')).slice(0, 2)).toEqual(['failed', 2])
    await repair()
    expect(await mapping('resume', 'last')).toEqual(['succeeded', 2, 2, [3, 7]])
    expect(await mapping('resume', 'last')).toEqual(['succeeded', 0, 4, [3, 7]])
  })

  it('does not take what an array that is not cached once gave', async () => {
    await project.write({ 'pipeline.js': mapped('undefined') })
    expect(await run('inputs')).toEqual(['succeeded', 3, 0, [6, 14]])
    expect(await run('inputs')).toEqual(['succeeded', 3, 0, [6, 14]])
  })

  it('over a list that is not known before is remembered in the same way', async () => {
    await project.write({ 'pipeline.js': mapped('undefined'), broken: '' })
    expect((await mapping('run', 'pipeline.js:list')).slice(0, 2)).toEqual(['failed', 3])
    await repair()
    expect(await mapping('resume', 'last')).toEqual(['succeeded', 2, 3, [1, 3]])
  })
})
