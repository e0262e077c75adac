import { afterEach, beforeEach, expect, test } from 'vitest'
import type { TaskSpec } from '../model/task.ts'
import type { CodeFingerprint } from '../ports/code.ts'
import { ProjectFolder } from '../testing/project-folder.ts'
import { taskSpec } from '../testing/task-spec.ts'
import { openCodeSource } from './source.ts'

let project: ProjectFolder

beforeEach(() => {
  project = new ProjectFolder()
})

afterEach(() => project.remove())

const fingerprint = (task: TaskSpec): Promise<CodeFingerprint> =>
  openCodeSource({
    home: project.path('home'),
    project: project.root,
    almanacUrl: 'file:///almanac/index.js',
  }).fingerprint(task)

const command = (run: readonly string[], more: Partial<TaskSpec> = {}, cwd?: string): TaskSpec => ({
  ...taskSpec('convert', {
    kind: 'command',
    run,
    exitCodes: { retry: [] },
    ...(cwd !== undefined && { cwd }),
  }),
  ...more,
})

test('a command counts by its words', async () => {
  const one = await fingerprint(command(['convert', '{in.scene}', '{out.cog}']))
  expect(one).toEqual(await fingerprint(command(['convert', '{in.scene}', '{out.cog}'])))
  const others = [['convert', '{out.cog}', '{in.scene}'], ['convert', '{in.scene} {out.cog}'], ['convert']]
  for (const run of others) expect((await fingerprint(command(run))).digest).not.toBe(one.digest)
})

test('a script that a command names counts by content where it is declared, and is warned of where it is not', async () => {
  project.write({ 'tools/run.sh': 'echo 1\n' })
  const path = project.path('tools/run.sh')
  for (const task of [command(['sh', path]), command(['sh', './tools/run.sh'], {}, project.root)]) {
    project.write({ 'tools/run.sh': 'echo 1\n' })
    const undeclared = await fingerprint(task)
    expect(undeclared.warnings).toEqual([
      'convert runs tools/run.sh, whose content does not count: name it in the option reads',
    ])
    const declared = await fingerprint({ ...task, reads: [path] })
    expect([Object.keys(declared.parts), declared.warnings]).toEqual([['command', 'file:tools/run.sh'], []])
    project.write({ 'tools/run.sh': 'echo 2\n' })
    expect((await fingerprint({ ...task, reads: [path] })).digest).not.toBe(declared.digest)
    expect((await fingerprint(task)).digest).toBe(undeclared.digest)
  }
})

test('where the project lies does not count', async () => {
  const other = new ProjectFolder()
  const at = ({ root }: ProjectFolder): TaskSpec =>
    command(['sh', `${root}/tools/run.sh`, `--out=${root}/x`], {}, `${root}/tools`)
  const moved = await openCodeSource({
    home: other.path('home'),
    project: other.root,
    almanacUrl: 'file:///almanac/index.js',
  }).fingerprint(at(other))
  expect((await fingerprint(at(project))).digest).toBe(moved.digest)
  other.remove()
})

test('a script counts by its language and text', async () => {
  const script = (lang: 'bash' | 'python', source: string): Promise<CodeFingerprint> =>
    fingerprint(taskSpec('script', { kind: 'script', lang, source, exitCodes: { retry: [] } }))
  const one = await script('bash', 'echo 1')
  expect(one).toEqual({ digest: one.digest, parts: { 'script:bash': one.digest }, warnings: [] })
  expect((await script('bash', 'echo 2')).digest).not.toBe(one.digest)
  expect((await script('python', 'echo 1')).digest).not.toBe(one.digest)
})

test('a container counts by its words and by what is in it, not by its image, limits or exit codes', async () => {
  const body = {
    kind: 'container',
    image: 'osgeo/gdal:1',
    pull: 'missing',
    run: ['gdalinfo', '{in.scene}'],
    env: { A: '1' },
    volumes: [],
    init: true,
    exitCodes: { retry: [] },
  } as const
  const of = (more: object) => fingerprint(taskSpec('info', { ...body, ...more }))
  const one = await of({})
  expect(Object.keys(one.parts)).toEqual(['command', 'container'])
  const same = [
    { image: 'b/c' },
    { pull: 'always' },
    { cpus: 4 },
    { init: false },
    { exitCodes: { retry: [3] } },
  ]
  for (const more of same) expect((await of(more)).digest).toBe(one.digest)
  const others = [
    { run: ['gdalinfo'] },
    { env: { A: '2' } },
    { entrypoint: [] },
    { network: 'none' },
    { user: 'image' },
    { workdir: '/data' },
    { gpu: 1 },
  ]
  for (const more of others) expect((await of(more)).digest).not.toBe(one.digest)
})

test('a volume of a container counts by its content where it is declared, and is warned of where it is not', async () => {
  const source = project.path('reference')
  const volumes = (write: boolean) => ({ volumes: [{ path: '/ref', source, write }] })
  const of = (more: object, reads: readonly string[] = []) =>
    fingerprint({
      ...taskSpec('info', {
        kind: 'container',
        image: 'a',
        pull: 'missing',
        run: [],
        env: {},
        volumes: [],
        init: true,
        exitCodes: { retry: [] },
        ...more,
      }),
      reads,
    })
  expect((await of(volumes(false))).warnings).toEqual([
    'info has the volume reference, whose content does not count: name it in the option reads, or make it an input',
  ])
  expect((await of(volumes(false), [source])).warnings).toEqual([])
  expect((await of(volumes(true))).warnings).toEqual([])
})
