import { expect, it } from 'vitest'
import type { AlmanacConfig } from '../flow/config.ts'
import { checkedConfig, checkOpenOptions } from './checked-config.ts'

/** What is said of it, as plain JavaScript may write it. */
const said = (config: object): string | undefined => {
  try {
    checkedConfig('almanac.config.ts', config)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

it('takes a configuration that says all that there is to say', () => {
  const config: AlmanacConfig = {
    parallel: 4,
    memory: '8GiB',
    limits: { gpfs: 4, api: { rate: '100/h' } },
    arrays: 999,
    depth: 5,
    environment: 'main',
    store: {
      url: 's3://bucket/prefix',
      endpoint: 'https://minio.example.org:9000',
      region: 'eu-west-1',
      pathStyle: true,
      results: 'read',
      logs: false,
      plain: true,
      local: '100GiB',
    },
    retention: { runs: { count: 100 } },
    threads: 2,
    python: { processes: 1 },
    callbacks: { listen: '127.0.0.1:8787', url: 'https://host/almanac' },
    container: { program: ['podman', '--root', '/scratch'], args: ['--shm-size', '1g'] },
  }
  expect(checkedConfig('almanac.config.ts', config)).toBe(config)
  expect(checkedConfig('almanac.config.ts', { store: 's3://bucket', python: undefined })).toEqual({
    store: 's3://bucket',
  })
})

it.each<[string, object, string]>([
  ['a number that is a text', { parallel: 'four' }, 'parallel: "four" is no whole number from 1'],
  ['a pool of no processes', { python: { processes: 0 } }, 'python.processes: 0 is no whole number from 1'],
  ['a pool of no threads', { threads: 0 }, 'threads: 0 is no whole number from 1'],
  ['a depth of none', { depth: 0 }, 'depth: 0 is no whole number from 1'],
  ['a size in words', { arrays: 'lots' }, `arrays: "lots" is no size; write '512MiB' or '2GiB'`],
  ['a size of nothing', { memory: 0 }, `memory: 0 is no size; write '512MiB' or '2GiB'`],
  [
    'a size in a unit that is none',
    { store: { url: 's3://bucket', local: '100G' } },
    `store.local: "100G" is no size; write '512MiB' or '2GiB'`,
  ],
  [
    'a word that is none of some',
    { store: { url: 's3://bucket', results: 'shared' } },
    `store.results: "shared" is none of "share", "read" and "off"`,
  ],
  [
    'a word where there is yes and no',
    { store: { logs: 'no' } },
    'store.logs: "no" is neither true nor false',
  ],
  ['a list where there is a text', { environment: ['main'] }, 'environment: ["main"] is no text'],
  ['a store that is a number', { store: 5 }, 'store: 5 is no object, like { … }'],
  ['a limit that is a text', { limits: 'gpfs' }, 'limits: "gpfs" is no object, like { … }'],
  ['a limit of nothing', { limits: { gpfs: null } }, 'limits.gpfs: null is neither a number nor an object'],
  ['a limit under 0', { limits: { gpfs: -1 } }, 'limits.gpfs.capacity: -1 is no number over 0'],
  [
    'arguments in a text',
    { container: { args: '-v' } },
    `container.args: "-v" is no list of texts; write ['…']`,
  ],
  ['a name with a slip', { paralel: 4 }, 'paralel: there is none of that name, parallel may be meant'],
  [
    'a name within with a slip',
    { python: { process: 4 } },
    'python.process: there is none of that name, python.processes may be meant',
  ],
])('refuses %s', (_, config, why) => {
  expect(said(config)).toBe(`almanac.config.ts is not valid: ${why}`)
})

it('refuses what is no configuration', () => {
  expect(said([])).toBe('almanac.config.ts is not valid: it exports no configuration by default')
})

it('refuses options with which an Almanac is opened, by name', () => {
  const open = (options: object) => () => checkOpenOptions(options)
  expect(open({ parallel: 2, python: { debug: 'pdb' }, onMessage: () => undefined })).not.toThrow()
  expect(open({ parallel: 'four' })).toThrow(
    'Option parallel of open is not valid: "four" is no whole number from 1.',
  )
  expect(open({ python: { processes: 0 } })).toThrow(
    'Option python.processes of open is not valid: 0 is no whole number from 1.',
  )
  expect(open({ paralel: 4 })).toThrow(
    'Option paralel of open is not valid: there is none of that name, parallel may be meant.',
  )
})
