import { expect, test } from 'vitest'
import { dependencyDocFaults, lockFaults, manifestFaults } from './manifest.ts'

const manifest = {
  version: '1.0.0',
  dependencies: { esbuild: '0.28.2', 'esbuild-fingerprint': 'npm:esbuild@0.28.2' },
  devDependencies: { knip: '6.44.2' },
  allowScripts: { esbuild: true },
}

const locked = {
  'node_modules/esbuild': { version: '0.28.2', hasInstallScript: true },
  'node_modules/esbuild-fingerprint': { version: '0.28.2', name: 'esbuild', hasInstallScript: true },
  'node_modules/knip': { version: '6.44.2' },
  'node_modules/fsevents': { version: '2.0.0', hasInstallScript: true, optional: true },
}

const lock = (packages: object): string => JSON.stringify({ packages }, undefined, 2)

test('a manifest that pins, and a lock file that agrees and names no host, have no fault', () => {
  expect([...manifestFaults(manifest), ...lockFaults(lock(locked), manifest)]).toEqual([])
})

test('a range is a fault', () => {
  expect(
    manifestFaults({ version: '1.0.0', dependencies: { a: '^1.0.0', b: '*', c: '1.2.3-beta.1' } }),
  ).toEqual(['package.json: a is ^1.0.0; pin it exactly', 'package.json: b is *; pin it exactly'])
})

test('a host in the lock file, an install script that is not allowed and another version are faults', () => {
  const packages = {
    ...locked,
    'node_modules/knip': { version: '6.0.0', resolved: 'https://registry.example.org/knip.tgz' },
    'node_modules/a/node_modules/native': { version: '1.0.0', hasInstallScript: true },
  }
  expect(lockFaults(lock(packages), manifest)).toEqual([
    'package-lock.json names the host registry.example.org: keep omit-lockfile-registry-resolved in .npmrc',
    'native has an install script that npm would block: npm install-scripts approve native',
    'package-lock.json has not knip 6.44.2',
  ])
})

test('every dependency has its line of reasons, and every line its dependency', () => {
  const text =
    '# Dependencies\n\n- **esbuild**, twice: **esbuild-fingerprint** is pinned apart.\n- **left-pad** because.\n'
  expect(dependencyDocFaults(text, manifest)).toEqual([
    'docs/design/dependencies.md does not say why esbuild-fingerprint',
    'docs/design/dependencies.md does not say why knip',
    'docs/design/dependencies.md names left-pad, which is not used',
  ])
})
