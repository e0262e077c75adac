import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'
import type { S3Server } from './moto.ts'
import { startMoto } from './moto.ts'
import { identity, newBucket, overwrite } from './servers.ts'

const flow = (bucket: string, endpoint: string) => `
from pathlib import Path

from almanac import File, source, task, workflow
from almanac_task import artifact

@task(outputs={"clean": File})
def tidy(day: Path, clean: Path) -> None:
    clean.write_text(day.read_text().strip())
    artifact(day.name, "table", rows=[{"letters": len(clean.read_text())}])

@task(outputs={"whole": File})
def join(days: Path, whole: Path) -> None:
    whole.write_text(" ".join(day.read_text() for day in sorted(days.iterdir())))

@workflow
async def main():
    days = source.s3("${bucket}", prefix="days/", include=["*.txt"], endpoint="${endpoint}", path_style=True)
    return {"whole": join(tidy.map(days).clean).whole}
`

let server: S3Server
let machines: Project[] = []

beforeAll(async () => {
  server = await startMoto()
})
afterAll(() => server.stop())
afterEach(async () => {
  for (const project of machines) await project.remove()
  machines = []
})

it('a workflow in Python reads objects of a bucket, and what one machine puts into another bucket a second one takes', async () => {
  const [data, store] = [await newBucket(server), await newBucket(server)]
  const put = (key: string, text: string) => overwrite(server, data, key, Buffer.from(text))
  const env = { ...identity, ALMANAC_STORE: `s3://${store}/farm?endpoint=${server.endpoint}` }
  const machine = async (): Promise<Project> => {
    const project = await Project.make({ 'flow.py': flow(data, server.endpoint) }, env)
    machines.push(project)
    return project
  }
  const run = async (project: Project) => {
    const { stdout, stderr } = await project.run('run', 'flow.py', '--json')
    const said = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Readonly<Record<string, unknown>>
    expect({ state: said['state'], stderr }).toEqual({ state: 'succeeded', stderr: '' })
    const shown = String(said['shown'])
    return { executed: said['executed'], text: readFileSync(`${shown}/${readdirSync(shown)[0]}`, 'utf8') }
  }
  await put('days/1.txt', '  sun ')
  await put('days/2.txt', ' rain')
  await put('days/notes.md', 'no day')
  const [first, second] = [await machine(), await machine()]
  expect(await run(first)).toEqual({ executed: 4, text: 'sun rain' })
  // the source asks the server each time
  expect(await run(second)).toEqual({ executed: 1, text: 'sun rain' })
  const { artifacts } = JSON.parse((await second.run('show', 'last', '--json')).stdout) as {
    readonly artifacts: readonly { readonly name: string; readonly body: object }[]
  }
  expect(artifacts.map(({ name, body }) => [name, body]).sort()).toEqual([
    ['1.txt', { kind: 'table', rows: [{ letters: 3 }] }],
    ['2.txt', { kind: 'table', rows: [{ letters: 4 }] }],
  ])
  await put('days/3.txt', 'snow')
  expect(await run(second)).toEqual({ executed: 3, text: 'sun rain snow' })
})
