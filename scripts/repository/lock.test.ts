import { expect, test } from 'vitest'
import { missingOptionals, withPackages } from './lock.ts'

const optionalDependencies = {
  '@a/linux-x64': '1.0.0',
  '@a/linux-arm64-musl': '1.0.0',
  '@a/linux-arm64-gnu': '1.0.0',
  '@a/win32-ia32': '1.0.0',
  fsevents: '~2.3.3',
}

test('optional packages that the lock file lacks are given with their platforms', () => {
  const packages = {
    '': {},
    'node_modules/@a/linux-x64': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0', dev: true, optionalDependencies },
  }
  expect(missingOptionals(packages)).toEqual({
    'node_modules/@a/linux-arm64-gnu': {
      version: '1.0.0',
      cpu: ['arm64'],
      dev: true,
      libc: ['glibc'],
      optional: true,
      os: ['linux'],
    },
    'node_modules/@a/linux-arm64-musl': {
      version: '1.0.0',
      cpu: ['arm64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    },
    'node_modules/@a/win32-ia32': {
      version: '1.0.0',
      cpu: ['ia32'],
      dev: true,
      optional: true,
      os: ['win32'],
    },
  })
})

test('a package that lies in another one is found there', () => {
  const packages = {
    'node_modules/b/node_modules/a': { version: '1.0.0', optionalDependencies: { c: '1.0.0', d: '1.0.0' } },
    'node_modules/b/node_modules/c': { version: '1.0.0' },
    'node_modules/b/node_modules/a/node_modules/d': { version: '1.0.0' },
  }
  expect(missingOptionals(packages)).toEqual({})
})

test('they are written where npm would write them', () => {
  const text = JSON.stringify({ name: 'x', packages: { '': {}, 'node_modules/c': { version: '3.0.0' } } })
  expect(withPackages(text, { 'node_modules/b': { version: '2.0.0' } })).toBe(
    `${JSON.stringify({ name: 'x', packages: { '': {}, 'node_modules/b': { version: '2.0.0' }, 'node_modules/c': { version: '3.0.0' } } }, undefined, 2)}\n`,
  )
})
