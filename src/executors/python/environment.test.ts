import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isAlmanacError } from '../../model/errors.ts'
import { pythonEnvDigest } from './environment.ts'
import { cacheDirectory } from './environment-options.ts'
import { findPython } from './interpreter.ts'

let folder: string
let cacheDir: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'environment-'))
  cacheDir = join(folder, 'cache')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const write = (name: string, text: string, mode = 0o644): string => {
  writeFileSync(join(folder, name), text, { mode })
  return join(folder, name)
}

const failure = async (made: Promise<unknown>): Promise<string> => {
  const error: unknown = await made.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isAlmanacError(error)) throw error
  return `${error.code}: ${error.message}`
}

describe('the digest of an environment', () => {
  it('is that of the requirements’ content and of the interpreter, and nothing is made for it', async () => {
    const digest = (text: string, python?: string) =>
      pythonEnvDigest(
        { requirements: write('r.txt', text), ...(python !== undefined && { python }) },
        { cacheDir },
      )
    const first = await digest('numpy\nzarr\n')
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await digest('# comment\n\n  numpy  # arrays\nzarr')).toBe(first)
    expect(await digest('numpy<3\nzarr\n')).not.toBe(first)
    expect(existsSync(join(cacheDir, 'envs'))).toBe(false)
    const answer = { python: '/usr/bin/python3.99', version: '3.99.1', platform: 'linux-x86_64-glibc' }
    const other = write('python', `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`, 0o755)
    expect(await digest('numpy\nzarr\n', other)).not.toBe(first)
  })
})

describe('the interpreter', () => {
  it('is asked once, until its file changes or what chooses it', async () => {
    const { python, version } = await findPython(undefined, { cacheDir })
    const shim = (says: string) =>
      write(
        'shim',
        `#!/bin/sh\necho asked >&2\necho '${JSON.stringify({ python, version: says, platform: 'p' })}'\n`,
        0o755,
      )
    const path = shim(version)
    const ask = async () => (await findPython(path, { cacheDir })).version
    expect(await ask()).toBe(version)
    shim('3.98.0')
    expect(await ask()).toBe('3.98.0')
    const answer = JSON.stringify({ python, version: 'CHOSEN', platform: 'p' })
    write('shim', `#!/bin/sh\necho '${answer}' | sed "s/CHOSEN/$PYENV_VERSION/"\n`, 0o755)
    vi.stubEnv('PYENV_VERSION', '3.12.1')
    expect(await ask()).toBe('3.12.1')
    vi.stubEnv('PYENV_VERSION', '3.13.2')
    expect(await ask()).toBe('3.13.2')
  })

  it('is refused where it is too old, and missing where there is none', async () => {
    const answer = { python: '/usr/bin/python3', version: '3.8.1', platform: 'p' }
    const old = write('old', `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`, 0o755)
    expect(await failure(findPython(old, { cacheDir }))).toBe(
      `ALM_PYTHON_MISSING: No Python ${old} (${old} is 3.8.1) was found.`,
    )
    expect(await failure(findPython('no-such-python', { cacheDir }))).toBe(
      'ALM_PYTHON_MISSING: No Python no-such-python was found.',
    )
    const broken = write('broken', '#!/bin/sh\nexit 1\n', 0o755)
    expect(await failure(findPython(broken, { cacheDir }))).toContain('ALM_PYTHON_MISSING')
    vi.stubEnv('PATH', folder)
    expect(await failure(findPython(undefined, { cacheDir }))).toBe(
      'ALM_PYTHON_MISSING: No Python 3.10 or newer was found.',
    )
  })

  it('is known from a cache that may be damaged or not writable', async () => {
    const first = await findPython(undefined, { cacheDir })
    writeFileSync(join(cacheDir, 'interpreters.json'), '{broken')
    expect(await findPython(undefined, { cacheDir })).toEqual(first)
    expect(await findPython(undefined, { cacheDir: join(write('file', ''), 'cache') })).toEqual(first)
  })
})

it('keeps what it makes in the user’s cache directory', () => {
  vi.stubEnv('XDG_CACHE_HOME', '/somewhere')
  expect(cacheDirectory()).toBe('/somewhere/almanac')
  vi.stubEnv('XDG_CACHE_HOME', 'relative')
  vi.stubEnv('HOME', '/home/me')
  expect(cacheDirectory()).toBe('/home/me/.cache/almanac')
})
