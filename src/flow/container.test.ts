import { expect, test } from 'vitest'
import { definitionKey } from './callable.ts'
import { container } from './container.ts'
import type { TaskDefinition } from './definition.ts'

const here = new URL('.', import.meta.url).pathname.replace(/\/$/, '')
const bodyOf = (task: { readonly [definitionKey]: unknown }): unknown =>
  (task[definitionKey] as TaskDefinition).spec.body
const plain = { name: 'info', image: 'ghcr.io/osgeo/gdal:3', run: ['gdalinfo', '{in.scene}'] } as const

test('a container has what it says, and no more', () => {
  expect(bodyOf(container.task({ name: 'info', image: 'osgeo/gdal' }))).toEqual({
    kind: 'container',
    image: 'osgeo/gdal',
    pull: 'missing',
    run: [],
    env: {},
    volumes: [],
    init: true,
    exitCodes: { retry: [] },
  })
})

test('sources of volumes lie beside the file that names them, and are read only unless told', () => {
  const volumes = { '/ref': './reference', '/scratch': { source: '/big/scratch', write: true } }
  expect(
    bodyOf(container.task({ ...plain, volumes, entrypoint: 'tini', user: '1000:100', gpu: 'all' })),
  ).toMatchObject({
    entrypoint: ['tini'],
    volumes: [
      { path: '/ref', source: `${here}/reference`, write: false },
      { path: '/scratch', source: '/big/scratch', write: true },
    ],
    user: '1000:100',
    gpu: 'all',
  })
})

test('processors are a limit where they are said, of variants too', () => {
  const task = container.task(plain)
  expect(bodyOf(task)).not.toHaveProperty('cpus')
  expect(bodyOf(task.options({ cpu: 2 }))).toMatchObject({ cpus: 2 })
  expect(bodyOf(container.task({ ...plain, cpu: 0.5 }).options({ cpu: 0 }))).not.toHaveProperty('cpus')
})

test.each([
  [{ image: '--privileged' }, 'image'],
  [{ image: 'a b' }, 'image'],
  [{ run: 'gdalinfo x' }, 'run'],
  [{ pull: 'daily' }, 'pull'],
  [{ env: { 'A=B': '1' } }, 'env'],
  [{ env: { A: 1 } }, 'env'],
  [{ network: '--privileged' }, 'network'],
  [{ user: '-x' }, 'user'],
  [{ workdir: 'data' }, 'workdir'],
  [{ gpu: 0 }, 'gpu'],
  [{ entrypoint: [1] }, 'entrypoint'],
  [{ volumes: ['./a:/b'] }, 'volumes'],
  [{ volumes: { '/b': 7 } }, 'volumes./b'],
  [{ volumes: { '/b': { source: 'a', readonly: true } } }, 'volumes./b.readonly'],
  [{ volumes: { b: './a' } }, 'volumes.b'],
  [{ volumes: { '/almanac/in': './a' } }, 'volumes./almanac/in'],
  [{ imagee: 'a' }, 'imagee'],
  [{ memory: 'much' }, 'memory'],
])('what is no option is refused: %j', (more, option) => {
  expect(() => container.task({ ...plain, ...more } as unknown as typeof plain)).toThrow(
    expect.objectContaining({ code: 'ALM_OPTION_REFUSED', details: expect.objectContaining({ option }) }),
  )
})
