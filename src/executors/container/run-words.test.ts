import { describe, expect, it } from 'vitest'
import type { ContainerEngine } from './engine.ts'
import type { ContainerRun } from './run-words.ts'
import { removeWords, runWords } from './run-words.ts'
import { wordsOf } from './split-words.ts'
import { containerBody } from './test-body.ts'

const podman: ContainerEngine = {
  words: ['/usr/bin/podman', '--root', '/scratch/c'],
  name: 'podman',
  kind: 'podman',
  rootless: true,
  selinux: false,
  init: true,
}
const docker: ContainerEngine = {
  ...podman,
  words: ['/usr/bin/docker'],
  name: 'docker',
  kind: 'docker',
  rootless: false,
}

const plain: ContainerRun = {
  name: 'almanac-r1-2.1',
  labels: { 'almanac.run': 'r1' },
  image: 'sha256:abc',
  body: containerBody(['sort', 'x']),
  run: ['sort', '/almanac/in/text/a b.txt'],
  mounts: [],
  env: {},
  passed: new Set(),
  memoryBytes: 0,
  caller: { uid: 1000, gid: 100, groups: [100, 7] },
  more: [],
}
const body = (more: Parameters<typeof containerBody>[1]) => ({
  ...plain,
  body: containerBody(['sort'], more),
})
const words = (engine: ContainerEngine, run: ContainerRun): readonly string[] => runWords(engine, run)

describe('the words of a container', () => {
  it('are all there is to it', () => {
    expect(
      words(podman, {
        ...plain,
        mounts: [
          { source: '/data/a, "b".txt', target: '/almanac/in/text/a, "b".txt', write: false },
          { source: '/tmp/work', target: '/almanac/work', write: true },
        ],
        env: { A: '1=2', TOKEN: 'secret' },
        passed: new Set(['TOKEN']),
        more: ['--shm-size', '1g'],
      }),
    ).toEqual([
      '/usr/bin/podman',
      '--root',
      '/scratch/c',
      'run',
      '--name=almanac-r1-2.1',
      '--rm',
      '--pull=never',
      '--log-driver=none',
      '--label=almanac.run=r1',
      '--init',
      '--userns=keep-id',
      '--user=1000:100',
      '--workdir=/almanac/work',
      '--mount=type=bind,"source=/data/a, ""b"".txt","destination=/almanac/in/text/a, ""b"".txt",readonly',
      '--mount=type=bind,source=/tmp/work,destination=/almanac/work',
      '--env=A=1=2',
      '--env=TOKEN',
      '--shm-size',
      '1g',
      'sha256:abc',
      'sort',
      '/almanac/in/text/a b.txt',
    ])
  })

  it('limit memory without swap, and processors; how it ended is then to be seen', () => {
    const limited = words(docker, { ...body({ cpus: 1.5 }), memoryBytes: 2 ** 30 })
    expect(limited).not.toContain('--rm')
    expect(limited).toEqual(
      expect.arrayContaining(['--memory=1073741824b', '--memory-swap=1073741824b', '--cpus=1.5']),
    )
  })

  it.each([
    ['docker', docker, undefined, ['--user=1000:100', '--group-add=7']],
    ['docker without root', { ...docker, rootless: true }, undefined, ['--user=0:0']],
    ['podman of root', { ...podman, rootless: false }, undefined, ['--user=1000:100', '--group-add=7']],
    ['podman', podman, undefined, ['--userns=keep-id', '--user=1000:100']],
    ['podman, as a user of the image', podman, '33:44', ['--userns=keep-id:uid=33,gid=44', '--user=33:44']],
    ['podman, as the image says', podman, 'image', []],
    ['docker, as a user of the image', docker, 'app', ['--user=app']],
  ] as const)('make files belong to the caller: %s', (_name, engine, user, expected) => {
    const made = words(engine, body(user === undefined ? {} : { user }))
    expect(made.filter((word) => /^--(?:user|group)/.test(word))).toEqual(expected)
  })

  it('replace the entrypoint, or do without', () => {
    const of = (entrypoint?: readonly string[]) =>
      words(docker, { ...body(entrypoint && { entrypoint }), run: ['x'] }).slice(-4)
    expect(of(['tini', '--']).slice(1)).toEqual(['sha256:abc', '--', 'x'])
    expect(of(['tini', '--'])[0]).toBe('--entrypoint=tini')
    expect(of([]).slice(1)).toEqual(['--entrypoint=', 'sha256:abc', 'x'])
    expect(of().join(' ')).not.toContain('entrypoint')
  })

  it('say graphics processors as each program wants them', () => {
    const gpus = (engine: ContainerEngine, gpu: number | 'all') =>
      words(engine, body({ gpu })).filter((word) => /gpu/.test(word))
    expect(gpus(docker, 2)).toEqual(['--gpus=2'])
    expect(gpus(podman, 'all')).toEqual(['--device=nvidia.com/gpu=all'])
    expect(gpus(podman, 2)).toEqual(['--device=nvidia.com/gpu=0', '--device=nvidia.com/gpu=1'])
  })

  it('let the network of the task go before that of the project', () => {
    const more = ['--network', 'lab', '--net=host', '--ulimit=core=0']
    const of = (network?: string) =>
      words(docker, { ...body(network === undefined ? {} : { network }), more })
    expect(of().filter((word) => /^--net|^lab$|ulimit/.test(word))).toEqual(more)
    expect(of('none').filter((word) => /^--net|^lab$|ulimit/.test(word))).toEqual([
      '--network=none',
      '--ulimit=core=0',
    ])
  })

  it('see files where labels are looked at, and do without a first process that is not there', () => {
    const made = words({ ...podman, selinux: true, init: false }, plain)
    expect(made).toContain('--security-opt=label=disable')
    expect(made).not.toContain('--init')
    expect(words(podman, body({ init: false }))).not.toContain('--init')
  })
})

it('a container is removed at once, by the words of each program', () => {
  expect(removeWords(docker, ['a', 'b'])).toEqual(['/usr/bin/docker', 'rm', '-f', '-v', 'a', 'b'])
  expect(removeWords(podman, ['a']).slice(3)).toEqual(['rm', '-f', '-v', '-t', '0', 'a'])
})

it('words of a variable are read as a shell reads them', () => {
  expect(wordsOf(' podman --root "/a b/c" --x=\'1 2\'3 "" ')).toEqual([
    'podman',
    '--root',
    '/a b/c',
    '--x=1 23',
    '',
  ])
})
