import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Executor, ExecutorListener } from '../../ports/executor.ts'
import { Containers } from './containers.ts'
import type { ContainerExecutorOptions } from './executor.ts'
import { openContainerExecutor } from './executor.ts'
import { wordsOf } from './split-words.ts'
import { testImage } from './test-body.ts'

/** Containers for tests: an image of one static program, and how its containers are run on this machine. */

const applets =
  'sh cat cp dd echo env false head id ln ls mkdir mkfifo mknod mv printf pwd readlink rm sleep sort stat tail test touch true tr wc'.split(
    ' ',
  )

const isStatic = (path: string): boolean => spawnSync('ldd', [path]).status !== 0

interface Found {
  readonly program: readonly string[]
  readonly args: readonly string[]
  /** why no container can be run here; absent where one can */
  readonly why?: string
}

/** What a test's containers are run by: as the variables say that users set, else what runs one here. */
export const testSettings: Found = findSettings()

function findSettings(): Found {
  const spoken = process.env['ALMANAC_CONTAINER_PROGRAM']
  if (spoken !== undefined)
    return tried({ program: wordsOf(spoken), args: wordsOf(process.env['ALMANAC_CONTAINER_ARGS'] ?? '') })
  const plain = tried({ program: ['podman'], args: ['--network=none'] })
  if (plain.why === undefined) return plain
  // cgroups v1 beside v2, and limits that may not be raised: as in sandboxes
  const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024']
  const sandboxed = tried({ program: ['podman', '--runtime=runc'], args: ['--network=none', ...limits] })
  return sandboxed.why === undefined ? sandboxed : plain
}

/** Makes the image if it is not there. */
function tried(settings: Found): Found {
  const [program = '', ...own] = settings.program
  const run = (...words: string[]) =>
    spawnSync(program, [...own, ...words], { encoding: 'utf8', timeout: 60_000 })
  const why = (): string | undefined => {
    const info = run('info')
    if (info.error !== undefined) return info.error.message
    if (info.status !== 0) return `${program} info: ${info.stderr.trim()}`
    const image = run('image', 'inspect', testImage).status === 0 ? undefined : importImage([program, ...own])
    if (image !== undefined) return image
    const one = run('run', '--rm', ...settings.args, testImage, '/bin/true')
    return one.status === 0 ? undefined : `${program} run: ${one.stderr.trim()}`
  }
  const refused = why()
  return refused === undefined ? settings : { ...settings, why: refused }
}

/** How a process of its own opens the executor: see `executor-host.ts`. */
export const openTestContainers = (
  options: Omit<ContainerExecutorOptions, 'containers'>,
  listener: ExecutorListener,
): Executor => openContainerExecutor({ ...options, containers: new Containers(testSettings) }, listener)

function importImage([program = '', ...own]: readonly string[]): string | undefined {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(
    (path) => spawnSync(path, ['true']).status === 0 && isStatic(path),
  )
  if (busybox === undefined) return 'there is no static busybox to make an image of'
  const folder = mkdtempSync(join(tmpdir(), 'image-'))
  try {
    mkdirSync(join(folder, 'root', 'bin'), { recursive: true })
    mkdirSync(join(folder, 'root', 'tmp'))
    copyFileSync(busybox, join(folder, 'root', 'bin', 'busybox'))
    for (const name of applets) symlinkSync('busybox', join(folder, 'root', 'bin', name))
    execFileSync('tar', ['-C', join(folder, 'root'), '-cf', join(folder, 'image.tar'), '.'])
    execFileSync(program, [...own, 'import', join(folder, 'image.tar'), testImage], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `no image could be made: ${(error as Error).message}`
  } finally {
    rmSync(folder, { recursive: true })
  }
}
