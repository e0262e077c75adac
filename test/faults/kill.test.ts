import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { SeededChance } from '../../src/testing/seeded-chance.ts'
import { Project } from '../cli/almanac.ts'
import { nothingLeft } from './leftovers.ts'
import { keptIn } from './storm/kept.ts'
import { kindsOfWrites, type Life, live, type Moment } from './storm/life.ts'

const waves = 120
const texts = 200
const randomKills = 50

const projects: Project[] = []
afterEach(async () => {
  for (const project of projects.splice(0)) await project.remove()
})

/** The workflow, with a directory of files. */
async function makeProject(files: number): Promise<string> {
  const project = await Project.make()
  projects.push(project)
  const { folder } = project
  cpSync(fileURLToPath(new URL('./storm/storm.ts', import.meta.url)), join(folder, 'storm.ts'))
  cpSync(fileURLToPath(new URL('./storm/steps.py', import.meta.url)), join(folder, 'steps.py'))
  for (const name of ['texts', 'tmp', '.almanac']) mkdirSync(join(folder, name))
  for (let i = 0; i < files; i++)
    writeFileSync(join(folder, 'texts', `text${i}`), `content ${i}\n`.repeat(i % 5))
  for (const name of ['log', 'published']) appendFileSync(join(folder, name), '')
  return folder
}

const open = (folder: string, gates: number): void => writeFileSync(join(folder, 'gates'), String(gates))
const begin = (n: number): string[] => ['run', 'storm.ts', '--input', 'texts=texts', '--input', `waves=${n}`]
const linesOf = (folder: string, name: string): string[] =>
  readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)

/** What a run that ended says of itself. */
function result({ printed, stderr, death }: Life): Record<string, unknown> {
  if (death !== 0) throw new Error(`the run did not succeed: ${death} ${stderr} ${printed.slice(-2000)}`)
  return JSON.parse(printed.trim().split('\n').at(-1) as string) as Record<string, unknown>
}

/** The content of all files below, by path. */
function contents(folder: string): Record<string, string> {
  const found: Record<string, string> = {}
  // links are followed: what is shown is links to what is kept
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isFile()) found[name] = readFileSync(path, 'utf8')
    else for (const [below, content] of Object.entries(contents(path))) found[`${name}/${below}`] = content
  }
  return found
}

/** Effects by label: what they did and under which key, each once. */
const effects = (folder: string): string[] => [...new Set(linesOf(folder, 'published'))].sort()

it(`survives kill -9 at ${randomKills} random moments and in every kind of write`, {
  timeout: 1_800_000,
}, async () => {
  const seed = Number(process.env['ALMANAC_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`seed ${seed}: ALMANAC_TEST_SEED=${seed} repeats it`)
  const chance = new SeededChance(seed)

  const calm = await makeProject(texts)
  open(calm, waves)
  const undisturbed = result(await live(calm, begin(waves)))
  expect(undisturbed['executed']).toBeGreaterThanOrEqual(2000)

  const sample = await makeProject(3)
  open(sample, 2)
  const kinds = await kindsOfWrites(sample, begin(2))
  const sampled = result(await live(sample, ['resume', 'last']))['output']

  const folder = await makeProject(texts)
  const pids: number[] = []
  const again: string[] = []
  const died = { moment: 0, gate: 0, write: 0 }
  let kept = await keptIn(folder)
  let done = 0

  /** One life; true if it was killed when it was to be. */
  const kill = async (moment: Moment, gates: number): Promise<boolean> => {
    open(folder, gates)
    const life = await live(folder, kept.run === undefined ? begin(waves) : ['resume', kept.run], moment)
    pids.push(life.pid)
    const { committed } = kept
    for (const line of linesOf(folder, 'log').slice(done)) {
      const [, label = line] = /^(flaky \d+) \d+$/.exec(line) ?? []
      if (committed.has(label)) again.push(`${line} in life ${pids.length}: ${JSON.stringify(moment)}`)
    }
    done = linesOf(folder, 'log').length
    kept = await keptIn(folder)
    if (typeof life.death === 'number')
      throw new Error(`it ended with ${life.death} before it was killed: ${life.stderr}`)
    died[life.death === 'gate' ? 'gate' : moment.when === 'write' ? 'write' : 'moment']++
    return life.death === 'moment'
  }

  const lives: Moment[] = kinds.map((kind) => ({ when: 'write', kind, n: 1 }))
  for (let i = 0; i < randomKills; i++) {
    const when = chance.pick(['printed', 'executed', 'executed', 'journal', 'journal', 'home'] as const)
    lives.splice(10 + chance.below(lives.length - 9), 0, {
      when,
      n: 1 + chance.below(when === 'executed' ? 25 : 5),
    })
  }
  const missed = new Set<string>()
  for (const moment of lives) {
    const hit = await kill(moment, Math.min(pids.length, waves - 5))
    if (!hit && moment.when === 'write') missed.add(moment.kind)
  }
  console.log(`${died.moment} kills at random moments, ${died.write} in writes, ${died.gate} at gates`)

  open(folder, waves)
  const before = kept
  const life = await live(folder, ['resume', String(kept.run)])
  pids.push(life.pid)
  const last = result(life)
  for (const line of linesOf(folder, 'log').slice(done)) {
    if (before.committed.has(/^(flaky \d+) \d+$/.exec(line)?.[1] ?? line)) again.push(`${line} at last`)
  }

  expect(again).toEqual([])
  expect(died.moment + died.write + died.gate).toBeGreaterThanOrEqual(100)
  expect(last['output']).toEqual(undisturbed['output'])
  expect(contents(join(folder, 'data'))).toEqual(contents(join(calm, 'data')))
  const withoutKey = (line: string): string => line.replace(/ \S+$/, '')
  expect(effects(folder).map(withoutKey)).toEqual(effects(calm).map(withoutKey))
  await nothingLeft(folder, pids)

  // what a run does once only, at its begin or end, kills runs of a few tasks
  for (const kind of missed) {
    const small = await makeProject(3)
    open(small, 2)
    const first = await live(small, begin(2), { when: 'write', kind, n: 1 })
    const { run, committed } = await keptIn(small)
    const before = linesOf(small, 'log').length
    const second = await live(small, run === undefined ? begin(2) : ['resume', run])
    const repeated = linesOf(small, 'log')
      .slice(before)
      .filter((line) => committed.has(line.replace(/^(flaky \d+) \d+$/, '$1')))
    const { output } = result(second)
    expect({ kind, death: first.death, repeated, output }).toEqual({
      kind,
      death: 'moment',
      repeated: [],
      output: sampled,
    })
    await nothingLeft(small, [first.pid, second.pid])
  }
  console.log(`${missed.size} more kills in writes of small runs`)
})
