import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

beforeEach(async () => {
  project = await Project.make()
  await project.run('init', '.')
})

afterEach(() => project.remove())

/** What a run of the pipeline executed and reused. */
async function ran(): Promise<readonly [executed: unknown, reused: unknown]> {
  const { state, executed, reused, error } = await project.json(
    'run',
    'pipeline.ts',
    '--input',
    'texts=texts',
  )
  if (state !== 'succeeded') throw new Error(JSON.stringify(error))
  return [executed, reused]
}

const edit = async (change: (steps: string) => string): Promise<void> =>
  project.write({ 'steps.py': change(await readFile(join(project.folder, 'steps.py'), 'utf8')) })

describe('the pipeline that init makes', () => {
  it('executes what changed, and nothing else', async () => {
    expect(await ran()).toEqual([3, 0])
    expect(await ran()).toEqual([0, 3])
    await project.write({ 'texts/three.txt': 'three: three more words' })
    expect(await ran()).toEqual([2, 2])
    await rm(join(project.folder, 'texts/one.txt'))
    expect(await ran()).toEqual([1, 2])
    await edit((steps) => `# a comment\n${steps}\n\ndef unused():\n    return 1\n`)
    expect(await ran()).toEqual([0, 3])
    await edit((steps) =>
      steps.replace('len(file.read_text().split())', 'sum(1 for _ in file.read_text().split())'),
    )
    expect(await ran(), 'the same counts: the report is reused').toEqual([2, 1])
    expect(await readFile(join(project.folder, 'data/main/pipeline/report.md'), 'utf8')).toBe(
      '2 texts, 6 words\n',
    )
  })

  it('knows names with spaces, newlines and Unicode, and directories without a file', async () => {
    await project.write({ 'texts/two words\nün.txt': 'a b' })
    await mkdir(join(project.folder, 'texts/empty'))
    expect(await ran()).toEqual([4, 0])
    await rm(join(project.folder, 'texts'), { recursive: true })
    await mkdir(join(project.folder, 'texts'))
    expect(await ran()).toEqual([1, 0])
  })

  it('shows where a step failed, and resumes when it is corrected', async () => {
    await edit((steps) => steps.replace('return len', 'raise KeyError("no words")\n    return len'))
    const { code, stderr } = await project.run('run', 'pipeline.ts', '--input', 'texts=texts')
    expect(code).toBe(1)
    expect(stderr).toMatch(/✗ measure one\.txt steps\.py:5\n {2}KeyError: 'no words'/)
    await edit((steps) => steps.replace('raise KeyError("no words")\n    ', ''))
    const { state, executed } = await project.json('resume', 'last')
    expect({ state, executed }).toEqual({ state: 'succeeded', executed: 3 })
  })

  it('gives its outputs by name', async () => {
    await ran()
    expect((await project.run('data', 'ls')).stdout).toMatch(/pipeline\/page +file/)
    expect((await project.run('data', 'get', 'pipeline/page', 'copy.md')).code).toBe(0)
    expect(await readFile(join(project.folder, 'copy.md'), 'utf8')).toBe('2 texts, 5 words\n')
  })
})
