import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Containers } from './containers.ts'
import { findEngine, readInfo } from './engine.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'docker-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** A program that answers as Docker does, by a shell's `case` of its words; what it is asked is written down. */
function docker(cases: string): string {
  const path = join(folder, 'docker')
  const info = `*info*) echo '{"SecurityOptions":["name=seccomp","name=rootless"],"InitBinary":"docker-init"}' ;;`
  writeFileSync(path, `#!/bin/sh\necho "$*" >> ${folder}/asked\ncase "$*" in\n${cases}\n${info}\nesac\n`)
  chmodSync(path, 0o755)
  return path
}

const asked = (): string[] => readFileSync(join(folder, 'asked'), 'utf8').trimEnd().split('\n')
const id = 'a'.repeat(64)
const absent =
  'image*) [ -e $0.pulled ] && echo sha256:$(cat $0.pulled) && exit; echo "Error: No such image: x" >&2; exit 1 ;;'

it('an image that is not here is pulled once, and what it says meanwhile is passed on', async () => {
  const program = docker(`${absent}\npull*) echo 'a1: Downloading' >&2; printf ${id} > $0.pulled ;;`)
  const said: string[] = []
  const { images } = new Containers({ program: [program], say: (line) => said.push(line) })
  const wanted = { image: 'osgeo/gdal', pull: 'missing' } as const
  const ids = await Promise.all([images.id(wanted), images.identity(wanted), images.id(wanted)])
  expect(ids).toEqual([`sha256:${id}`, `sha256:${id}`, `sha256:${id}`])
  expect(asked().filter((words) => words.startsWith('pull'))).toEqual(['pull osgeo/gdal'])
  expect(said).toEqual(['pulling the image osgeo/gdal by docker', 'a1: Downloading'])
})

it('always means to ask the registry, be the image here or not', async () => {
  const program = docker(`image*) echo sha256:${id} ;;`)
  const { images } = new Containers({ program: [program] })
  await images.id({ image: 'osgeo/gdal', pull: 'always' })
  expect(asked().map((words) => words.split(' ')[0])).toEqual(['info', 'pull', 'image'])
})

it.each([
  ['Error response from daemon: manifest for osgeo/gdal:9 not found: manifest unknown', 'ALM_IMAGE_MISSING'],
  [
    'Error response from daemon: pull access denied for secret, repository does not exist or may require docker login: denied',
    'ALM_IMAGE_MISSING',
  ],
  [
    'Error: short-name "gdal:9" did not resolve to an alias and no unqualified-search registries are defined',
    'ALM_IMAGE_MISSING',
  ],
  [
    'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    'ALM_IMAGE_PULL',
  ],
  [
    'Error: writing blob: storing blob to file: write /var/tmp/storage1: no space left on device',
    'ALM_IMAGE_PULL',
  ],
])('what a pull says is told: %s', async (words, code) => {
  const program = docker(`${absent}\npull*) echo '${words}' >&2; exit 1 ;;`)
  const { images } = new Containers({ program: [program] })
  await expect(images.id({ image: 'osgeo/gdal:9', pull: 'missing' })).rejects.toMatchObject({
    code,
    message: expect.stringContaining(words.replace(/^Error[^:]*: /, '')),
  })
})

it('an image that is not to be pulled is missing', async () => {
  const { images } = new Containers({ program: [docker(absent)] })
  await expect(images.id({ image: 'osgeo/gdal', pull: 'never' })).rejects.toMatchObject({
    code: 'ALM_IMAGE_MISSING',
  })
  expect(asked().some((words) => words.startsWith('pull'))).toBe(false)
})

it('a daemon that does not answer is told, and asked again by who comes later', async () => {
  const denied =
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock'
  const program = docker(
    `info*) [ -e $0.up ] || { echo '{"ServerErrors":["${denied}"]}'; exit 1; } ; echo '{}' ;;`,
  )
  const containers = new Containers({ program: [program] })
  await expect(containers.engine()).rejects.toMatchObject({
    code: 'ALM_CONTAINER_PROGRAM',
    message: `No program that runs containers works here: ${program}: ${denied}.`,
  })
  writeFileSync(`${program}.up`, '')
  expect(await containers.engine()).toMatchObject({ kind: 'docker', name: 'docker' })
})

it('a program is known by what it says of itself', async () => {
  expect(await findEngine([docker(''), '--context', 'far'])).toEqual({
    words: [join(folder, 'docker'), '--context', 'far'],
    name: 'docker',
    kind: 'docker',
    rootless: true,
    selinux: false,
    init: true,
  })
  const security = { rootless: true, selinuxEnabled: true }
  expect(readInfo(JSON.stringify({ host: { security } }))).toMatchObject({
    kind: 'podman',
    rootless: true,
    selinux: true,
  })
  expect([readInfo('Client:\n Context: default'), readInfo('null')]).toEqual([undefined, undefined])
})
