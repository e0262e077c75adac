import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

describe.each([
  { language: 'TypeScript', init: ['.'], pipeline: 'pipeline.ts', steps: 'steps.py', line: 5 },
  { language: 'Python', init: ['.', '--python'], pipeline: 'pipeline.py', steps: 'pipeline.py', line: 8 },
])('the pipeline in $language that init makes', ({ init, pipeline, steps, line }) => {
  beforeEach(async () => {
    project = await Project.make()
    await project.run('init', ...init)
  })

  /** What a run of the pipeline executed and reused. */
  async function ran(): Promise<readonly [executed: unknown, reused: unknown]> {
    const { state, executed, reused, error } = await project.json('run', pipeline, '--input', 'texts=texts')
    if (state !== 'succeeded') throw new Error(JSON.stringify(error))
    return [executed, reused]
  }

  const edit = async (change: (steps: string) => string): Promise<void> =>
    project.write({ [steps]: change(await readFile(join(project.folder, steps), 'utf8')) })

  it('is what the README shows', async () => {
    const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
    const text = await readFile(join(project.folder, pipeline), 'utf8')
    // comments aside
    const code = (of: string): string => of.replaceAll(/^ *(\/\/|#) .*\n| *(\/\/|#) .*$/gm, '').trim()
    const shown = [...readme.matchAll(/```(?:ts|python).*\n([\s\S]*?)```/g)].map(([, one = '']) => code(one))
    expect(shown).toContain(code(text))
    expect(shown).toContain(code(await readFile(join(project.folder, steps), 'utf8')))
  })

  it('executes what changed, and nothing else', async () => {
    expect(await ran()).toEqual([3, 0])
    expect(await ran()).toEqual([0, 3])
    await project.write({ 'texts/three.txt': 'three: three more words' })
    expect(await ran()).toEqual([2, 2])
    await rm(join(project.folder, 'texts/one.txt'))
    expect(await ran()).toEqual([1, 2])
    await edit((text) => `# a comment\n${text}\n\ndef unused():\n    return 1\n`)
    expect(await ran()).toEqual([0, 3])
    await edit((text) => text.replace(/len\((\w+\.read_text\(\)\.split\(\))\)/, 'sum(1 for _ in $1)'))
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
    await edit((text) => text.replace('return len', 'raise KeyError("no words")\n    return len'))
    const { code, stderr } = await project.run('run', pipeline, '--input', 'texts=texts')
    expect(code).toBe(1)
    expect(stderr).toContain(`✗ measure one.txt ${steps}:${line}\n  KeyError: 'no words'`)
    await edit((text) => text.replace('raise KeyError("no words")\n    ', ''))
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
