import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ContainerBody } from '../../model/task.ts'
import type { Executor, ExecutorListener } from '../../ports/executor.ts'
import { Containers } from './containers.ts'
import type { ContainerExecutorOptions } from './executor.ts'
import { openContainerExecutor } from './executor.ts'
import { wordsOf } from './words.ts'

/** Containers for tests: an image of one static program, and how its containers are run on this machine. */

export const testImage = 'localhost/almanac-busybox:1'

/** What a test's containers are run by: as the variables say that users set. */
export const testSettings = {
  program: wordsOf(process.env['ALMANAC_CONTAINER_PROGRAM'] ?? 'podman'),
  args: wordsOf(process.env['ALMANAC_CONTAINER_ARGS'] ?? '--network=none'),
}

export const containerBody = (run: readonly string[], more: Partial<ContainerBody> = {}): ContainerBody => ({
  kind: 'container',
  image: testImage,
  pull: 'never',
  run,
  env: {},
  volumes: [],
  init: true,
  exitCodes: { retry: [] },
  ...more,
})

/** How a process of its own opens the executor: see `executor-host.ts`. */
export const openTestContainers = (
  options: Omit<ContainerExecutorOptions, 'containers'>,
  listener: ExecutorListener,
): Executor => openContainerExecutor({ ...options, containers: new Containers(testSettings) }, listener)

/** Why no container can be run here; undefined where one can. Makes the image if it is not there. */
export function whyNoContainers(): string | undefined {
  const [program = '', ...own] = testSettings.program
  const run = (...words: string[]) =>
    spawnSync(program, [...own, ...words], { encoding: 'utf8', timeout: 60_000 })
  const info = run('info')
  if (info.error !== undefined || info.status !== 0)
    return info.error?.message ?? `${program} info: ${info.stderr.trim()}`
  if (run('image', 'inspect', testImage).status !== 0) {
    const why = importImage([program, ...own])
    if (why !== undefined) return why
  }
  const tried = run('run', '--rm', ...testSettings.args, testImage, '/bin/true')
  return tried.status === 0 ? undefined : `${program} run: ${tried.stderr.trim()}`
}

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

const applets =
  'sh cat cp dd echo env false head id ln ls mkdir mkfifo mknod mv printf pwd readlink rm sleep sort stat tail test touch true tr wc'.split(
    ' ',
  )

const isStatic = (path: string): boolean => spawnSync('ldd', [path]).status !== 0
