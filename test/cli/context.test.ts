import { afterEach, expect, it } from 'vitest'
import { Project, type Ran } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const objects = ({ stdout }: Ran): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const imaging = `
import { run, script, task, workflow, z, file } from 'almanac'
const calibration = run.context('calibration', { schema: z.object({ gain: z.number() }), initial: { gain: 1 } })
export const image = task('image', { context: { calibration }, cache: true }, (n, { context }) => n * context.calibration.gain)
export const weigh = task('weigh', { context: { calibration }, run: 'thread', cache: true }, (n, { context }) => n + context.calibration.gain)
export const draw = script.task({
  name: 'draw', lang: 'sh', source: 'cat "$ALMANAC_PARAMS" > "$ALMANAC_OUT_png"',
  input: {}, output: { png: file('image.png') }, context: { calibration }, cache: true,
})
export default workflow('imaging', async () => {
  const score = await image(2)
  run.metric('score', score)
  run.metric('weight', await weigh(1))
  const { png } = draw({})
  run.artifact('image', { kind: 'image', path: await png })
  return run.ask(z.object({ ok: z.boolean() }), { title: 'Good?', show: { image: png, score } })
})
`

it('is written, read and listed by people, and only what reads it is executed again', async () => {
  project = await Project.make({ 'imaging.js': imaging })
  const none = await project.run('context', 'ls')
  expect(none.stdout).toContain('Nothing yet')
  const missing = await project.run('context', 'get', 'workflow:imaging/calibration')
  expect({ code: missing.code, text: missing.stderr }).toEqual({
    code: 1,
    text: expect.stringContaining('There is no document workflow:imaging/calibration.'),
  })
  const name = 'workflow:imaging/calibration'
  const run = async () => objects(await project.run('run', 'imaging.js', '--json')).at(-1)
  expect(await run()).toMatchObject({ state: 'waiting', executed: 3, reused: 0 })
  expect(await run()).toMatchObject({ state: 'waiting', executed: 0, reused: 3 })
  const set = await project.run('context', 'set', name, '{"gain": 3}', '--by', 'eve')
  expect(set.stdout).toContain(`${name} is at version 1.`)
  const again = await run()
  expect(again).toMatchObject({ state: 'waiting', executed: 3, reused: 0 })

  const shown = await project.run('show', String(again?.['id']))
  expect(shown.stdout).toMatch(/metric +score +6\n/)
  expect(shown.stdout).toMatch(/metric +weight +4\n/)
  expect(shown.stdout).toMatch(/image +image +\S*image\.png/)
  const asked = await project.run('answer', String(again?.['id']))
  expect(asked.stdout).toMatch(/Good\?\n {3}image {2}\S*image\.png\n {3}score {2}6\n/)

  const refused = await project.run('context', 'set', name, '{"gain": 4}', '--seen', '7')
  expect(refused.stderr).toContain('is at version 1 (written by context set by eve), not at 7')
  await project.run('context', 'set', name, '{"flags": ["A"]}', '--patch')
  expect((await project.run('context', 'get', name)).stdout).toBe(
    `${JSON.stringify({ flags: ['A'], gain: 3 }, null, 2)}\n`,
  )
  expect(objects(await project.run('context', 'get', `${name}@1`, '--json'))).toEqual([
    expect.objectContaining({ kind: 'document', document: name, version: 1, value: { gain: 3 } }),
  ])
  const log = objects(await project.run('context', 'log', name, '--json'))
  expect(log.map(({ version, maker }) => `${String(version)} ${String(maker)}`)).toEqual([
    expect.stringMatching(/^2 context set by /),
    '1 context set by eve',
  ])
  expect((await project.run('context', 'ls', '--env', 'test')).stdout).toContain('Nothing yet')
  const odd = await project.run('context', 'set', 'calibration', '1')
  expect(odd.stderr).toContain('ALM_CONTEXT_NAME')
  const notJson = await project.run('context', 'set', name, '{gain: 1}')
  expect({ code: notJson.code, stderr: notJson.stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('a document is JSON'),
  })
})

it('of several who merge into a document that is not there yet, none is lost without a word', async () => {
  project = await Project.make()
  const name = 'workflow:imaging/flags'
  const fields = ['a', 'b', 'c', 'd']
  const ran = await Promise.all(
    fields.map((field) => project.run('context', 'set', name, `{"${field}": 1}`, '--patch', '--json')),
  )
  const said = ran.map((one) => objects(one).at(-1)?.['code'] ?? 'written')
  expect(said.filter((one) => one !== 'ALM_CONTEXT_MOVED' && one !== 'written')).toEqual([])
  const [kept] = objects(await project.run('context', 'get', name, '--json'))
  expect(Object.keys(kept?.['value'] as object)).toEqual(fields.filter((_, i) => said[i] === 'written'))
})
