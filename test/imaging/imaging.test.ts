import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { ensurePythonEnv } from '../../src/executors/python/environment.ts'
import { Project } from '../cli/almanac.ts'

/**
 * What the README promises of the imaging example, on a small instance. The tests are steps of one story, in one project:
 * what an earlier one left is what the next one finds.
 */

const example = fileURLToPath(new URL('../../examples/imaging', import.meta.url))
interface Told {
  readonly id: string
  readonly state: string
  readonly executed: number
  readonly reused: number
  readonly output: { readonly quality: { readonly correlation: number; readonly channels: number } }
}

/** The same story in both languages, the second with fewer channels. */
describe.each([
  ['imaging.ts', 6],
  ['imaging.py', 4],
])('%s', (workflow, perWindow) => {
  const small = ['windows=2', `channels=${perWindow}`, 'scans=80', 'pixels=32'].flatMap((one) => [
    '--input',
    one,
  ])
  const each = 2 * perWindow
  const channels = { select: each, dirty: each, deconvolve: each, finish: each, add: each - 2 }
  const calls = 5 * each - 2 + 7
  let project: Project

  beforeAll(async () => {
    await ensurePythonEnv({ requirements: join(example, 'requirements.txt') })
    const folder = await mkdtemp(join(tmpdir(), 'almanac-imaging-'))
    await cp(example, folder, {
      recursive: true,
      filter: (path) => !/\/(\.almanac|data|__pycache__)$/.test(path),
    })
    await writeFile(join(folder, 'package.json'), '{}')
    project = Project.at(folder)
  }, 600_000)
  afterAll(() => removeTree(project.folder))

  const image = (...more: string[]): Promise<Told> =>
    project.json('run', workflow, ...small, ...more) as unknown as Promise<Told>

  /** Calls of a run that were executed, by task. */
  async function executed({ id }: Told): Promise<Record<string, number>> {
    const { tasks } = (await project.json('show', id)) as {
      tasks: Record<string, { executed: number }>
    }
    const counts = Object.entries(tasks).map(([name, { executed: n }]) => [name, n] as const)
    return Object.fromEntries(counts.filter(([, n]) => n > 0))
  }

  const set = (document: string, fields: object) =>
    project.run('context', 'set', `workflow:imaging/${document}`, JSON.stringify(fields), '--patch')

  describe('a sky that is known', () => {
    it('is imaged channel by channel, and the image is like it', async () => {
      const told = await image()
      expect(told).toMatchObject({ state: 'succeeded', executed: calls, reused: 0 })
      expect(await executed(told)).toEqual({ observe: 2, solve: 2, ...channels, assess: 2, combine: 1 })
      expect(told.output.quality).toMatchObject({ channels: each })
      expect(told.output.quality.correlation).toBeGreaterThan(0.98)
      const png = await readFile(join(project.folder, 'data/main/imaging/image.png'))
      expect(png.subarray(1, 4).toString('latin1')).toBe('PNG')
      const { value } = (await project.json('context', 'get', 'workflow:imaging/beams')) as {
        value: Record<string, { beam: number }>
      }
      expect(Object.keys(value)).toEqual(['0', '1'])
    })

    it('is not imaged again by another run, though arrays were passed in memory', async () => {
      expect(await image()).toMatchObject({ state: 'succeeded', executed: 0, reused: calls })
    })

    it('with a document changed, has executed what reads it, and what follows if the results changed', async () => {
      await set('imaging', { robust: 1 })
      const { select: _, ...follows } = channels
      expect(await executed(await image())).toEqual({ ...follows, assess: 2, combine: 1 })
      await set('calibration', { rounds: 4 })
      expect(await executed(await image())).toEqual({ solve: 2 })
      await set('imaging', { robust: 0 })
      await set('calibration', { rounds: 15 })
      expect(await image()).toMatchObject({ executed: 0 })
    })
  })

  describe('a station that fails', () => {
    it('has a person asked, who is shown the image; what they say is part of the calibration from then on', async () => {
      const faulty = await image('--input', 'fault=1:LM')
      expect(faulty.state).toBe('waiting')
      const asked = await project.run('answer', faulty.id)
      expect(asked.stdout).toMatch(
        /The image of window 1 has a dynamic range of [\d.]+, less than 30\.\n {3}image {2}\S+image\.png\n/,
      )
      await project.run('answer', faulty.id, 'verdict=flag', 'station=LM')
      const resumed = (await project.json('resume', faulty.id)) as unknown as Told
      expect(resumed.state).toBe('succeeded')
      expect(resumed.output.quality.correlation).toBeGreaterThan(0.98)
      const { value } = await project.json('context', 'get', 'workflow:imaging/calibration')
      expect(value).toMatchObject({ flags: { 1: ['LM'] } })
      // another run asks nothing: of window 0 the gains are what they were
      const again = await image('--input', 'fault=1:LM')
      expect(again.state).toBe('succeeded')
      expect(await executed(again)).toEqual({ solve: 1 })
    })
  })
})
