import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../source-files.ts'
import { keyRelease, type Release, releases } from './releases.ts'

const run = promisify(execFile)
const kept = join(root, '.cache/pythons')
const keyrings = '/usr/share/keyrings'
const limitMs = 240_000

/**
 * The interpreter of a version, of packages of a distribution that are unpacked into a folder of ours: nothing is installed. They
 * are had by apt, with lists and state of its own, which checks their signatures. Kept for the next time.
 * @throws where that cannot be done here
 */
export async function fetchPython(version: string): Promise<string> {
  const home = join(kept, version)
  const program = join(home, 'usr/bin/python3')
  if (existsSync(program)) return program
  const release = releases[version]
  if (release === undefined) throw new Error(`it is not known where Python ${version} is had`)
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('packages are for Linux on x86-64')
  mkdirSync(kept, { recursive: true })
  const packages = await unpacked(release, [`python${version}`])
  wrap(packages, version, home)
  rmSync(home, { recursive: true, force: true })
  renameSync(packages, home)
  return program
}

/** A folder with what is in packages and in all that they need. */
async function unpacked(release: Release, names: readonly string[]): Promise<string> {
  const keyring = await keyringOf(release)
  const state = mkdtempSync(join(tmpdir(), 'almanac-apt-'))
  try {
    const env = { ...process.env, APT_CONFIG: configure(state, release, keyring) }
    const apt = (...args: string[]) => run('apt-get', ['-q', ...args], { env, timeout: limitMs, cwd: state })
    await apt('update', '-o', 'APT::Update::Error-Mode=any')
    await apt('install', '--yes', '--no-install-recommends', '--download-only', ...names)
    const archives = join(state, 'archives')
    const folder = mkdtempSync(join(kept, 'new-'))
    for (const name of readdirSync(archives).filter((one) => one.endsWith('.deb')))
      await run('dpkg-deb', ['--extract', join(archives, name), folder])
    return folder
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
}

async function keyringOf({ keyring }: Release): Promise<string> {
  const known = join(keyrings, `${keyring}-archive-keyring.gpg`)
  if (keyring === 'debian' || existsSync(known)) return known
  const folder = await unpacked(keyRelease, ['ubuntu-keyring'])
  const home = join(kept, 'ubuntu-keys')
  rmSync(home, { recursive: true, force: true })
  renameSync(folder, home)
  return join(home, known)
}

/** Files of an apt that knows nothing of this machine: no packages, no other sources. */
function configure(state: string, { source }: Release, keyring: string): string {
  for (const folder of ['parts', 'lists/partial', 'archives/partial'])
    mkdirSync(join(state, folder), { recursive: true })
  const file = (name: string, text: string): string => {
    writeFileSync(join(state, name), text)
    return join(state, name)
  }
  const status = file('status', '')
  const list = file(
    'sources.list',
    source.suites
      .map((suite) => `deb [arch=amd64 signed-by=${keyring}] ${source.uri} ${suite} ${source.components}\n`)
      .join(''),
  )
  const options = {
    'Dir::State': state,
    'Dir::State::status': status,
    'Dir::State::lists': join(state, 'lists'),
    'Dir::Cache': state,
    'Dir::Cache::archives': join(state, 'archives'),
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': join(state, 'parts'),
    'Dir::Etc::preferencesparts': join(state, 'parts'),
    'Dir::Etc::trustedparts': join(state, 'parts'),
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
    // a mirror may be older than its lists say they hold
    'Acquire::Check-Valid-Until': 'false',
  }
  return file(
    'apt.conf',
    Object.entries(options)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  )
}

/** It needs the C library that it was made with, and so that library's own loader. */
function wrap(folder: string, version: string, home: string): void {
  const loader = ['usr/lib64', 'lib64', 'usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu']
    .map((one) => join(one, 'ld-linux-x86-64.so.2'))
    .find((one) => existsSync(join(folder, one)))
  if (loader === undefined) throw new Error(`the packages of Python ${version} have no loader`)
  const libraries = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu']
    .map((one) => join(home, one))
    .join(':')
  const program = join(folder, 'usr/bin/python3')
  rmSync(program, { force: true })
  writeFileSync(
    program,
    `#!/bin/sh\nexec '${join(home, loader)}' --library-path '${libraries}' --argv0 "$0" '${home}/usr/bin/python${version}' "$@"\n`,
  )
  chmodSync(program, 0o755)
}
