import { afterEach, beforeEach, expect, it } from 'vitest'
import { FaultyServer, serving } from '../../src/testing/faulty-server.ts'
import { Project } from './almanac.ts'

const flow = `
import { task, url, workflow } from 'almanac'
export const read = task('read', async (scene) => (await fetch(scene.href)).text())
export default workflow('flow', { input: { scene: url() } }, async ({ scene }) => read(scene))
`

let server: FaultyServer
let project: Project

beforeEach(async () => {
  server = await FaultyServer.open()
  project = await Project.make({ 'flow.ts': flow })
})
afterEach(async () => {
  await server.close()
  await project.remove()
})

const run = (scene: string) => project.run('run', 'flow.ts', '--input', `scene=${scene}`, '--json')

it('an input that is a URL is given on the command line, and counts by what is there', async () => {
  server.on('/a.nc', serving('AAAA'))
  const result = async () =>
    JSON.parse((await run(server.url('/a.nc'))).stdout.trim().split('\n').at(-1) ?? '{}')
  expect(await result()).toMatchObject({ state: 'succeeded', output: 'AAAA', executed: 1 })
  expect(await result()).toMatchObject({ output: 'AAAA', executed: 0 })
  server.on('/a.nc', serving('BBBB', '"v2"'))
  expect(await result()).toMatchObject({ output: 'BBBB', executed: 1 })
  expect((await project.run('run', 'flow.ts', '--help')).stdout).toContain('scene=URL')
})

it.each([
  ['no/such/file', 2, '"no/such/file" is no URL: write https://host/file or s3://bucket/key'],
  ['ftp://host/a', 2, 'is no URL: write https://host/file or s3://bucket/key'],
  ['https://ann:secret@host/a', 2, 'was given with a user, a password or a secret, and inputs are kept'],
  ['s3://bucket/a/../b', 2, 'a name in the key is "." or ".."'],
  ['http://169.254.169.254/latest', 1, 'its address is one where clouds keep credentials'],
])('%s is refused with the reason, and what is secret is not said', async (scene, code, why) => {
  const refused = await run(scene)
  expect(refused.stderr).toContain(why)
  expect([refused.code, refused.stderr.includes('ann:secret')]).toEqual([code, false])
})
