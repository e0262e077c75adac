import { afterEach, beforeEach, expect, it } from 'vitest'
import { FaultyServer, serving } from '../../src/testing/faulty-server.ts'
import { Project } from '../cli/almanac.ts'

let server: FaultyServer
let project: Project

beforeEach(async () => {
  server = await FaultyServer.open()
  server.on('/a.csv', serving('one')).on('/b.csv', serving('three'))
  project = await Project.make({ 'flow.py': flow.replace('SERVER = ""', `SERVER = "${server.url('')}"`) })
})
afterEach(async () => {
  await server.close()
  await project.remove()
})

const flow = `
import urllib.request
from datetime import timedelta
from pathlib import Path
from almanac import Url, source, task, url, workflow

SERVER = ""

@task
def addresses() -> list[str]:
    return [SERVER + "/a.csv", SERVER + "/b.csv"]

@task
def length(text: Path) -> int:
    return len(text.read_text())

@task
def first(text: str) -> str:
    with urllib.request.urlopen(text) as file:
        return file.read().decode()[:2]

@workflow
async def fetched():
    raw = source.http(addresses(), headers={"Authorization": "Bearer se-cret"},
                      retries={"count": 2, "delay": timedelta(seconds=1)}, rate={"per_second": 50}, max_bytes="1KiB")
    return {"lengths": await length.map(raw).all(), "entries": (await raw).entries}

@workflow
async def read(given: Url):
    named = url.http(SERVER + "/b.csv?X-Amz-Signature=pass-word")
    place = (await named).place
    return [first(given), first(named), place == SERVER + "/b.csv", given.size]

@workflow
async def wrong(n: int):
    if n == 0:
        return source.http(SERVER + "/a.csv", rate={"perSecond": 2})
    if n == 1:
        return source.http(SERVER + "/a.csv", alow_missing=True)
    if n == 2:
        return source.http(SERVER + "/a.csv", idle="soon")
    return await source.http(SERVER + "/nothing.csv", retries=0)
`

it('gives a directory of what a task names, fetched anew only where it changed', async () => {
  const output = { lengths: [3, 5], entries: 2 }
  expect(await project.json('run', 'flow.py:fetched')).toMatchObject({ state: 'succeeded', output })
  server.on('/b.csv', serving('eleven', '"v2"'))
  const again = await project.json('run', 'flow.py:fetched')
  expect(again).toMatchObject({ output: { lengths: [3, 6] }, reused: 1 })
  const { stdout } = await project.run('show', 'last', '--json')
  expect(stdout).not.toContain('se-cret')
})

it('gives tasks the URL of a file that stays where it is, of an input too', async () => {
  const run = await project.json('run', 'flow.py:read', '--input', `given=${server.url('/a.csv')}`)
  expect(run).toMatchObject({ state: 'succeeded', output: ['on', 'th', true, 3] })
  expect((await project.run('show', 'last', '--json')).stdout).not.toContain('pass-word')
  expect((await project.run('run', 'flow.py:read', '--help')).stdout).toContain('URL')
})

it.each([
  [0, 'ALM_OPTION_REFUSED', "rate of source.http has no 'perSecond'"],
  [1, 'ALM_WORKFLOW_FAILED', "source.http() has no option 'alow_missing'"],
  [2, 'ALM_OPTION_REFUSED', '"soon" is no duration'],
  [3, 'ALM_SOURCE', 'nothing.csv'],
])('says what is wrong with what is asked for: %i', async (n, code, why) => {
  const { state, error } = await project.json('run', 'flow.py:wrong', '--input', `n=${n}`)
  expect(state).toBe('failed')
  const said = error as { readonly code: string; readonly message: string }
  expect(said.code).toContain(code)
  expect(said.message).toContain(why)
})
