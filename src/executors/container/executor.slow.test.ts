import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { ContainerBody } from '../../model/task.ts'
import type { Attempt, AttemptEnd, AttemptId } from '../../ports/executor.ts'
import { ExecutorBench } from '../../testing/executors/executor-bench.ts'
import { patience } from '../../testing/patience.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { Containers } from './containers.ts'
import { openTestContainers, testSettings } from './rig.ts'
import { containerBody, testImage } from './test-body.ts'

const { why } = testSettings
const [program = '', ...own] = testSettings.program
const client = (...words: string[]): string => execFileSync(program, [...own, ...words], { encoding: 'utf8' })

let bench: ExecutorBench
let folder: string

const tests = (): void => {
  beforeEach(async () => {
    bench = await ExecutorBench.openPlain(openTestContainers)
    folder = mkdtempSync(join(tmpdir(), 'containers-'))
  })

  afterEach(async () => {
    await bench.close()
    execFileSync('chmod', ['-R', 'u+w', folder])
    rmSync(folder, { recursive: true })
  })

  /** A shell's words in a container; the outputs are in a directory of the test's own. */
  const run = (
    words: string,
    body: Partial<ContainerBody> = {},
    more: Partial<Attempt> & { readonly outputs?: Record<string, string> } = {},
  ): Promise<AttemptEnd> =>
    bench.run(
      {
        task: taskSpec('inside', containerBody(['/bin/sh', '-c', words], body), {
          ...(more.outputs !== undefined && {
            outputs: Object.fromEntries(Object.keys(more.outputs).map((name) => [name, 'file' as const])),
          }),
        }),
        inputs: {},
      },
      more,
    )
  const out = (name: string): string => {
    mkdirSync(join(folder, 'out'), { recursive: true })
    return join(folder, 'out', name)
  }
  const fileRef = (path: string): FileRef => new FileRef(basename(path), 'd'.repeat(64), 1, false, path)
  const text = (id: AttemptId = 'r1/1.1'): readonly string[] => bench.heard.texts(id, 'stdout')

  it('finds its inputs at paths that say nothing of where they lie, whatever they are called', async () => {
    const hostile = 'a "b", c:d=\'e\' $f\n\\g ü.txt'
    mkdirSync(join(folder, 'x, y: "z"'))
    const path = join(folder, 'x, y: "z"', hostile)
    writeFileSync(path, 'hello')
    const dir = new DirRef('e'.repeat(64), 1, 1, join(folder, 'x, y: "z"'))
    const end = await run(
      'cat "$ALMANAC_IN_one"; echo; printf "%s\\n" "$ALMANAC_IN_one" "$ALMANAC_IN_all"; ls "$ALMANAC_IN_all" | wc -l; cat "$ALMANAC_PARAMS"; pwd',
      {},
      { inputs: { one: fileRef(path), all: dir, list: [fileRef(path), { deep: fileRef(path) }], n: 3 } },
    )
    expect(end.kind, JSON.stringify(end)).toBe('succeeded')
    const [content, ...rest] = text()
    expect(content).toBe('hello')
    const said = rest.join('\n')
    expect(said).toContain(`/almanac/in/one/${hostile}\n/almanac/in/all\n`)
    expect(JSON.parse(/^\{.*\}/m.exec(said)?.[0] ?? '')).toEqual({
      one: `/almanac/in/one/${hostile}`,
      all: '/almanac/in/all',
      list: [`/almanac/in/list/0/${hostile}`, { deep: `/almanac/in/list/1/deep/${hostile}` }],
      n: 3,
    })
    expect(said.endsWith('/almanac/work')).toBe(true)
  })

  it('hears that it is to stop as soon as it runs', async () => {
    const words = 'trap "echo asked; exit 0" TERM; : > begun; while :; do sleep 0.1; done'
    const task = taskSpec('inside', containerBody(['/bin/sh', '-c', words]))
    const attempts = Array.from({ length: 6 }, () => bench.attempt({ task, inputs: {} }))
    bench.executor.submit(attempts)
    const ends = attempts.map(async ({ id, scratch }) => {
      await vi.waitUntil(() => existsSync(join(scratch, 'begun')), { ...patience, interval: 1 })
      bench.executor.cancel(id, 600_000)
      return [await bench.heard.end(id), text(id)]
    })
    expect(await Promise.all(ends)).toEqual(attempts.map(() => [{ kind: 'cancelled' }, ['asked']]))
  })

  it('is asked to stop when it runs, where it was cancelled before', async () => {
    const attempt = bench.attempt({
      task: taskSpec('inside', containerBody(['/bin/sleep', '1000'])),
      inputs: {},
    })
    bench.executor.submit([attempt])
    await bench.heard.until(() => bench.heard.of(attempt.id).started === 1)
    bench.executor.cancel(attempt.id, 600_000)
    expect(await bench.heard.end(attempt.id)).toEqual({ kind: 'cancelled' })
  })

  it('leaves files that belong to the caller', async () => {
    const outputs = { sorted: out('sorted.txt') }
    const end = await run('echo b > "$ALMANAC_OUT_sorted"; id -u', {}, { outputs })
    expect(end.kind).toBe('succeeded')
    expect(readFileSync(outputs.sorted, 'utf8')).toBe('b\n')
    expect(statSync(outputs.sorted).uid).toBe(process.getuid?.())
    expect(text()).toEqual([String(process.getuid?.())])
  })

  it('writes as another user where it is told to', async () => {
    const outputs = { made: out('made.txt') }
    const end = await run(
      'echo \'{{"type":"event","name":"here"}}\' >> $ALMANAC_EVENTS; id -u > "$ALMANAC_OUT_made"; cat $ALMANAC_PARAMS; id -g',
      { user: '1234:1234' },
      { outputs },
    )
    expect(end.kind, JSON.stringify(end)).toBe('succeeded')
    expect(readFileSync(outputs.made, 'utf8')).toBe('1234\n')
    expect(bench.heard.of('r1/1.1').notes).toMatchObject([{ name: 'here' }])
  })

  it('cannot write to its inputs, nor to volumes that are not for that', async () => {
    const path = join(folder, 'in.txt')
    writeFileSync(path, 'kept')
    mkdirSync(join(folder, 'shared'))
    await run(
      'echo no > "$ALMANAC_IN_one"; echo no > /ref/in.txt; echo yes > /shared/made; cat /ref/in.txt',
      {
        volumes: [
          { path: '/ref', source: folder, write: false },
          { path: '/shared', source: join(folder, 'shared'), write: true },
        ],
      },
      { inputs: { one: fileRef(path) } },
    )
    expect(bench.heard.texts('r1/1.1', 'stderr').filter((line) => /read-only/i.test(line))).toHaveLength(2)
    expect([readFileSync(path, 'utf8'), readFileSync(join(folder, 'shared', 'made'), 'utf8')]).toEqual([
      'kept',
      'yes\n',
    ])
    expect(text()).toEqual(['kept'])
  })

  it('follows links of directories that were put together of what lies with the user', async () => {
    writeFileSync(join(folder, 'far.txt'), 'far away')
    const tree = join(folder, 'tree')
    mkdirSync(tree)
    symlinkSync(join(folder, 'far.txt'), join(tree, 'link.txt'))
    chmodSync(tree, 0o555)
    await run('cat /almanac/in/all/link.txt', {}, { inputs: { all: new DirRef('e'.repeat(64), 1, 8, tree) } })
    expect(text()).toEqual(['far away'])
  })

  it('has the variables that are declared, and none of the machine', async () => {
    vi.stubEnv('ALMANAC_UNDECLARED', 'secret')
    await run(
      'echo "$A|$B|$ALMANAC_UNDECLARED|$HOME|$TMPDIR"',
      { env: { A: 'x=1, "2"', B: 'image' } },
      { env: { B: 'of the machine' } },
    )
    vi.unstubAllEnvs()
    expect(text()).toEqual(['x=1, "2"|of the machine||/almanac/work|/almanac/work'])
  })

  it('has a working directory, a network and an entrypoint as it says', async () => {
    await run('pwd; ls /sys/class/net', { workdir: '/tmp', network: 'none' })
    expect(text()).toEqual(['/tmp', 'lo'])
    const echoes = { run: ['three'], entrypoint: ['/bin/echo', 'one', 'two'] }
    await run('', echoes)
    expect(text('r1/2.1')).toEqual(['one two three'])
  })

  it('uses the entrypoint and the command of the image, or none', async () => {
    const image = 'localhost/almanac-entry:1'
    execFileSync('sh', [
      '-c',
      `printf 'FROM ${testImage}\\nENTRYPOINT ["/bin/echo", "entry"]\\nCMD ["own"]\\n' | ${[program, ...own].join(' ')} build -q -t ${image} -f - ${folder}`,
    ])
    for (const more of [{ run: [] }, { run: ['given'] }, { run: ['/bin/echo', 'bare'], entrypoint: [] }])
      await run('', { image, ...more })
    expect([1, 2, 3].map((n) => text(`r1/${n}.1`))).toEqual([['entry own'], ['entry given'], ['bare']])
  })

  it('is told by its memory limit that it went over it, with what to do', async () => {
    const end = await run('dd if=/dev/zero of=/dev/null bs=100M count=1', {}, { memoryBytes: 20 * 2 ** 20 })
    expect(end).toMatchObject({
      kind: 'failed',
      reason: 'memory',
      retryable: true,
      error: { code: 'ALM_TASK_MEMORY', message: expect.stringContaining('20 MiB') },
    })
    const fits = await run('echo 1 > $ALMANAC_RESULT', {}, { memoryBytes: 20 * 2 ** 20 })
    expect(fits).toMatchObject({ kind: 'succeeded', values: { '': 1 } })
  })

  it('tells a program that is not in the image from one that fails', async () => {
    const absent = await run('', { run: ['/bin/gdalinfo'] })
    expect(absent).toMatchObject({ kind: 'failed', retryable: false, error: { code: 'ALM_TASK_NOT_FOUND' } })
    expect(absent.kind === 'failed' && absent.error.message).toContain(`in the image ${testImage}`)
    for (const exit of [3, 125, 126, 127]) {
      const end = await run(`echo sorry >&2; exit ${exit}`, { exitCodes: { retry: [3] } })
      expect(end).toMatchObject({
        kind: 'failed',
        retryable: exit === 3,
        error: { code: 'ALM_TASK_EXIT', type: `exit ${exit}`, stack: 'sorry' },
      })
    }
  })

  it('says which image is missing, and what its registry says', async () => {
    const absent = await run('', { image: 'localhost/no-such-thing:1' })
    expect(absent).toMatchObject({ kind: 'failed', retryable: false, error: { code: 'ALM_IMAGE_MISSING' } })
    const unreachable = await run('', { image: 'localhost:1/no/registry:1', pull: 'missing' })
    expect(unreachable).toMatchObject({ kind: 'failed', error: { code: 'ALM_IMAGE_PULL' } })
    expect(unreachable.kind === 'failed' && unreachable.error.message).toContain('refused')
  })

  it('says what is wrong with options that only the container program can check', async () => {
    const end = await run('true', { volumes: [{ path: '/x', source: join(folder, 'absent'), write: false }] })
    expect(end).toMatchObject({ kind: 'failed', error: { code: 'ALM_CONTAINER_FAILED' } })
    expect(end.kind === 'failed' && end.error.message).toContain('absent')
  })

  it('takes many files', async () => {
    const list = Array.from({ length: 300 }, (_, n) => {
      const path = join(folder, `file-${n}.txt`)
      writeFileSync(path, String(n))
      return fileRef(path)
    })
    await run('cat /almanac/in/list/*/* | wc -c', {}, { inputs: { list } })
    expect(text()).toEqual([String(list.reduce((sum, _, n) => sum + String(n).length, 0))])
  })

  it('goes with its container program, should that be killed', async () => {
    const attempt = bench.attempt({
      task: taskSpec('long', containerBody(['/bin/sleep', '1000'])),
      inputs: {},
    })
    bench.executor.submit([attempt])
    const mine = `label=almanac.call=${attempt.call}.${attempt.attempt}`
    const running = (): string => client('ps', '-q', '--filter', mine, '--filter', 'status=running').trim()
    await vi.waitUntil(() => running() !== '', { ...patience, interval: 50 })
    spawnSync('pkill', ['-9', '-f', `name=almanac-r1-${attempt.call}.1-${process.pid}-`])
    expect((await bench.heard.end(attempt.id)).kind).toBe('failed')
    expect(client('ps', '-aq', '--filter', mine).trim()).toBe('')
  })

  it('is removed by the next process where its own was killed with all that watched it', async () => {
    const label = (owner: string) => ['--label', `almanac.owner=${owner}`]
    const left = ['gone', 'alive'].map((owner) =>
      client('run', '-d', ...testSettings.args, ...label(owner), testImage, '/bin/sleep', '100').trim(),
    )
    const said: string[] = []
    const owner = { label: 'me', isGone: (of: string) => of === 'gone' }
    await new Containers({ ...testSettings, owner, say: (line) => said.push(line) }).engine()
    const still = client('ps', '-aq', '--no-trunc').split('\n')
    client('rm', '-f', '-t', '0', left[1] ?? '')
    expect([still.includes(left[0] ?? ''), still.includes(left[1] ?? '')]).toEqual([false, true])
    expect(said).toEqual(['removed a container that a killed process had left'])
  })

  it('is of the image that its name meant first, until the process ends', async () => {
    const image = 'localhost/almanac-moving:1'
    client('tag', testImage, image)
    const containers = new Containers(testSettings)
    const first = await containers.images.identity({ image, pull: 'missing' })
    client('tag', 'localhost/almanac-entry:1', image)
    expect(await containers.images.id({ image, pull: 'missing' })).toBe(first)
    const next = await new Containers(testSettings).images.identity({ image, pull: 'missing' })
    client('rmi', image)
    expect(first).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(next).not.toBe(first)
  })

  it('is known by the digest in its name, without asking anybody', async () => {
    const digest = `sha256:${'0'.repeat(64)}`
    const containers = new Containers({ program: ['/nowhere/podman'] })
    const image = `registry.example/name@${digest}`
    expect(await containers.images.identity({ image, pull: 'missing' })).toBe(`${digest} ${process.arch}`)
  })
}

if (why === undefined) describe('a program in a container', tests)
else
  it(`a program in a container is not tested here: ${why}`, () => {
    expect(process.env['ALMANAC_TEST_CONTAINERS'], why).not.toBe('1')
  })

it('says what is wrong where no container program answers', async () => {
  await expect(new Containers({ program: ['/nowhere/podman'] }).engine()).rejects.toMatchObject({
    code: 'ALM_CONTAINER_PROGRAM',
    message: 'No program that runs containers works here: /nowhere/podman: there is no such file.',
  })
})
