import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ensurePythonEnv, pythonEnvDigest } from '../../src/executors/python/environment.ts'
import { findPython } from '../../src/executors/python/interpreter.ts'
import { isAlmanacError } from '../../src/model/errors.ts'
import { isAlive } from '../../src/testing/executors/executor-bench.ts'
import { patience } from '../../src/testing/patience.ts'

let folder: string
let cacheDir: string
const said: string[] = []
const onProgress = (line: string) => void said.push(line)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'environment-'))
  cacheDir = join(folder, 'cache')
  said.length = 0
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function requirements(text: string, name = 'requirements.txt'): { readonly requirements: string } {
  writeFileSync(join(folder, name), text)
  return { requirements: join(folder, name) }
}

/** A package without dependencies, as a wheel. */
async function wheel(version: string): Promise<string> {
  const { python } = await findPython(undefined, { cacheDir })
  const name = `almanac_demo-${version}-py3-none-any.whl`
  const code = `
import zipfile
info = "almanac_demo-${version}.dist-info/"
with zipfile.ZipFile("${name}", "w") as wheel:
    wheel.writestr("almanac_demo.py", "version = '${version}'\\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: almanac-demo\\nVersion: ${version}\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "RECORD", "")
`
  execFileSync(python, ['-c', code], { cwd: folder })
  return name
}

const versionIn = (python: string): string =>
  execFileSync(python, [
    '-I',
    '-c',
    'import almanac_demo, sys; print(almanac_demo.version, sys.prefix != sys.base_prefix)',
  ])
    .toString()
    .trim()

const failure = async (made: Promise<unknown>): Promise<string> => {
  const error: unknown = await made.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isAlmanacError(error)) throw error
  return `${error.code}: ${error.message}`
}

/** The pip that Python brings, or, as Debian takes that out, the one of the index. */
const somePip = `
import ensurepip, glob, os, sys
mine = glob.glob(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "pip-*.whl"))
sys.path.insert(0, ${JSON.stringify(fileURLToPath(new URL('../../python', import.meta.url)))})
import build_env
os.makedirs(sys.argv[1], exist_ok=True)
print(mine[0] if mine else build_env.fetch_pip({"directory": sys.argv[1]}))
`

describe('an environment', () => {
  it('is made once for its content, says what it does, and is found again without starting anything', async () => {
    const spec = requirements(`# demo\n./${await wheel('1.0')}\n`)
    const made = await ensurePythonEnv(spec, { cacheDir, onProgress })
    expect(versionIn(made.python)).toBe('1.0 True')
    expect(made.version).toMatch(/^3\.\d+\.\d+$/)
    expect(made.python.startsWith(join(cacheDir, 'envs', made.digest.slice(0, 32)))).toBe(true)
    expect(said[0]).toMatch(
      /^making the Python environment of requirements.txt with (uv|pip|venv), Python 3\./,
    )
    expect(said.at(-1)).toMatch(/^made in \d+\.\d s$/)
    said.length = 0
    // an interpreter that counts how often it is asked who it is
    const asked = join(folder, 'asked')
    mkdirSync(join(folder, 'bin'))
    const real = (await findPython(undefined, { cacheDir })).python
    writeFileSync(join(folder, 'bin/python3'), `#!/bin/sh\necho asked >> ${asked}\nexec ${real} "$@"\n`, {
      mode: 0o755,
    })
    vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env['PATH']}`)
    const same = requirements('./almanac_demo-1.0-py3-none-any.whl # the same\n', 'other.txt')
    for (let times = 0; times < 3; times++) {
      expect(await ensurePythonEnv(same, { cacheDir, onProgress })).toEqual(made)
      expect(await pythonEnvDigest(same, { cacheDir })).toBe(made.digest)
    }
    expect(readFileSync(asked, 'utf8')).toBe('asked\n')
    expect(said).toEqual([])
  })

  it('is made anew where it was only half made, or has lost its interpreter', async () => {
    const spec = requirements(`./${await wheel('1.0')}\n`)
    const made = await ensurePythonEnv(spec, { cacheDir })
    const directory = join(made.python, '../..')
    rmSync(join(directory, 'almanac-env.json'))
    rmSync(join(directory, 'lib'), { recursive: true })
    expect(versionIn((await ensurePythonEnv(spec, { cacheDir })).python)).toBe('1.0 True')
    rmSync(join(directory, 'bin'), { recursive: true })
    expect(versionIn((await ensurePythonEnv(spec, { cacheDir })).python)).toBe('1.0 True')
  })

  it('is made by one of several processes that want it at once', async () => {
    const spec = requirements(`./${await wheel('1.0')}\n`)
    const program = `
      const { ensurePythonEnv } = await import(process.argv[1])
      const said = []
      await ensurePythonEnv({ requirements: process.argv[2] }, { cacheDir: process.argv[3], onProgress: (line) => said.push(line) })
      console.log(JSON.stringify(said))`
    const module = fileURLToPath(new URL('../../src/executors/python/environment.ts', import.meta.url))
    const outputs = await Promise.all(
      [1, 2, 3].map(
        () =>
          new Promise<string>((resolve) => {
            const child = spawn(process.execPath, [
              '--input-type=module',
              '-e',
              program,
              module,
              spec.requirements,
              cacheDir,
            ])
            let text = ''
            child.stdout.on('data', (chunk: Buffer) => {
              text += chunk
            })
            child.stderr.on('data', (chunk: Buffer) => {
              text += chunk
            })
            child.on('close', () => resolve(text))
          }),
      ),
    )
    const lines = outputs.map((output) => JSON.parse(output) as string[])
    expect(lines.filter((one) => one.some((line) => line.startsWith('made in')))).toHaveLength(1)
    expect(readdirSync(join(cacheDir, 'envs')).filter((name) => !name.endsWith('.lock'))).toHaveLength(1)
  })

  it('is refused with the words of the resolver', async () => {
    const spec = requirements('--no-index\nno-such-package-at-all==1.2.3\n')
    const why = await failure(ensurePythonEnv(spec, { cacheDir }))
    expect(why).toMatch(/^ALM_PYTHON_ENV: The Python environment of .*requirements.txt could not be made: /)
    expect(why).toContain('no-such-package-at-all')
    expect(
      readdirSync(join(cacheDir, 'envs')).some((name) =>
        existsSync(join(cacheDir, 'envs', name, 'almanac-env.json')),
      ),
    ).toBe(false)
  })

  it('ends what it started when it is no longer wanted', async () => {
    const pid = join(folder, 'pid')
    mkdirSync(join(folder, 'bin'))
    const uv = join(folder, 'bin/uv')
    writeFileSync(uv, `#!/bin/sh\necho $$ > ${pid}\nsleep 1000\n`, { mode: 0o755 })
    vi.stubEnv('PATH', `${join(folder, 'bin')}:${process.env['PATH']}`)
    const stop = new AbortController()
    const made = failure(ensurePythonEnv(requirements('x'), { cacheDir, signal: stop.signal }))
    await vi.waitUntil(() => existsSync(pid) && readFileSync(pid, 'utf8') !== '', patience)
    stop.abort()
    expect(await made).toContain('it was cancelled')
    await vi.waitUntil(() => !isAlive(Number(readFileSync(pid, 'utf8'))), patience)
  })

  it('is made by uv where there is one', async () => {
    // one that was made before is used again: this is in the user's own cache
    const { python } = await ensurePythonEnv(requirements('uv\n', 'uv.txt'), { means: ['pip', 'venv'] })
    vi.stubEnv('PATH', `${join(python, '..')}:${process.env['PATH']}`)
    const made = await ensurePythonEnv(requirements(`./${await wheel('4.0')}\n`), { cacheDir, onProgress })
    expect(said[0]).toContain('making the Python environment of requirements.txt with uv')
    expect(versionIn(made.python)).toBe('4.0 True')
    const why = await failure(
      ensurePythonEnv(requirements('--no-index\nno-such-package-at-all\n'), { cacheDir }),
    )
    expect(why).toMatch(/could not be made: .*no-such-package-at-all/s)
  })

  it('is made with a pip of the index where the machine has none', async () => {
    const { python } = await findPython(undefined, { cacheDir })
    const bundled = execFileSync(python, ['-c', somePip, cacheDir])
      .toString()
      .trim()
      .split('\n')
      .at(-1) as string
    const bytes = readFileSync(bundled)
    const name = bundled.slice(bundled.lastIndexOf('/') + 1)
    const files = [
      { filename: 'pip-0.9.tar.gz', url: 'pip-0.9.tar.gz', hashes: {} },
      { filename: name, url: name, hashes: { sha256: createHash('sha256').update(bytes).digest('hex') } },
    ]
    const server = createServer((request, answer) => {
      if (request.url === '/simple/pip/') answer.end(JSON.stringify({ files }))
      else answer.end(bytes)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    vi.stubEnv('PIP_INDEX_URL', `http://127.0.0.1:${port}/simple`)
    vi.stubEnv('no_proxy', '127.0.0.1')
    const made = await ensurePythonEnv(requirements(`./${await wheel('3.0')}\n`), {
      cacheDir,
      means: ['index'],
    })
    server.close()
    expect(versionIn(made.python)).toBe('3.0 True')
  })
})
