import type { ChildProcessByStdio } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'
import { isAlive, killProcess } from '../../testing/executors/executor-bench.ts'
import type { HostedWork } from '../../testing/executors/executor-host.ts'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { patience } from '../../testing/patience.ts'
import type { PythonExecutorOptions } from './executor.ts'
import { openPythonExecutor } from './executor.ts'
import { sharedDirectory } from './shared-files.ts'

let bench: PythonBench | undefined
let file: string

const source = `
import ctypes
import os
import signal
import subprocess
import sys
import time

leaked = []


def pid():
    return os.getpid()


def variable():
    return [os.environ["SEED"], os.getpid()]


def leak(megabytes):
    leaked.append(b"x" * (megabytes << 20))
    return os.getpid()


def with_child(path):
    child = subprocess.Popen(["sleep", "1000"])
    session = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    with open(path + ".part", "w") as file:
        file.write(f"{os.getpid()} {child.pid} {session.pid}")
    os.rename(path + ".part", path)
    while True:
        time.sleep(1)


def holds_the_lock(path):
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    # a library that does not let other threads of Python run
    ctypes.PyDLL(None).sleep(1000)


def forks(path):
    if os.fork() == 0:
        os.setsid()
        with open(path + ".part", "w") as file:
            file.write(str(os.getpid()))
        os.rename(path + ".part", path)
        time.sleep(1000)
        os._exit(0)
    while not os.path.exists(path):
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGKILL)


def loops(path):
    with open(path, "w"):
        pass
    while True:
        time.sleep(0.001)


def short(n):
    if n == 40:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def uneven(n, path):
    while n == 5 and not os.path.exists(path):
        time.sleep(0.005)
    return n


def talks_nonsense():
    os.write(3, b"\\xff\\xff\\xff\\x7f nonsense")
    time.sleep(1000)


def wait(path):
    while not os.path.exists(path):
        time.sleep(0.005)
    return os.getpid()
`

function open(options: Partial<PythonExecutorOptions> = {}): PythonBench {
  bench = new PythonBench((clock, listener) =>
    openPythonExecutor({ clock, processes: 1, ...options }, listener),
  )
  file = bench.write('steps.py', source)
  return bench
}

afterEach(async () => {
  await bench?.close()
  bench = undefined
})

const filesOf = (pid: number): string[] =>
  [...new Set([sharedDirectory(), tmpdir()])]
    .flatMap((place) => readdirSync(place))
    .filter((name) => /^almanac-\d+-/.test(name) && name.includes(`-${pid}-`))

it('uses no process before there is a task', async () => {
  const { executor } = open()
  expect(filesOf(process.pid)).toEqual([])
  await executor.close()
})

it('replaces a process after so many tasks', async () => {
  const one = open({ tasksPerProcess: 3 })
  const pids: unknown[] = []
  for (let n = 0; n < 7; n++) pids.push(await one.value(one.task(file, 'pid')))
  expect(pids.map((pid) => pids.indexOf(pid))).toEqual([0, 0, 0, 3, 3, 3, 6])
})

it('replaces a process that keeps too much memory', async () => {
  const one = open({ residentLimit: 150 * 2 ** 20 })
  const first = await one.value(one.task(file, 'leak'), { megabytes: 10 })
  expect(await one.value(one.task(file, 'leak'), { megabytes: 10 })).toBe(first)
  await one.value(one.task(file, 'leak'), { megabytes: 200 })
  await vi.waitUntil(() => !isAlive(first as number), patience)
  expect(await one.value(one.task(file, 'pid'))).not.toBe(first)
})

it('weighs a process after its last task though it was weighed a moment before', async () => {
  // no process that rests is looked at meanwhile
  const one = open({ residentLimit: 60 * 2 ** 20, restMs: 24 * 3_600_000 })
  const first = await one.value(one.task(file, 'pid'))
  // so quick that the process is not due to be weighed when it has nothing to do any more
  await one.value(one.task(file, 'leak'), { megabytes: 60 })
  await vi.waitUntil(() => !isAlive(first as number), patience)
})

it('loses only what was in a process that is killed, and sends what was beside it alone from then on', async () => {
  const one = open({ processes: 1 })
  const task = one.task(file, 'short')
  await one.value(task, { n: 0 })
  const attempts = Array.from({ length: 100 }, (_, n) => one.attempt(task, { n }))
  one.executor.submit(attempts)
  const ends = await Promise.all(attempts.map(({ id }) => one.heard.end(id)))
  const lost = ends.flatMap((end, n) => (end.kind === 'lost' ? [n] : []))
  expect(lost).toContain(40)
  expect(ends.filter((end) => end.kind !== 'lost')).toHaveLength(100 - lost.length)
  const again = lost.map((n) => one.attempt(task, { n }))
  one.executor.submit(again)
  const second = await Promise.all(again.map(({ id }) => one.heard.end(id)))
  expect(second.flatMap((end, at) => (end.kind === 'lost' ? [lost[at]] : []))).toEqual([40])
})

it('takes back what waits behind a task that turns out to be long', async () => {
  const one = open({ processes: 2 })
  const task = one.task(file, 'uneven')
  const path = `${one.folder}/go`
  for (let n = 0; n < 4; n++) await one.value(task, { n: 0, path })
  const attempts = Array.from({ length: 100 }, (_, n) => one.attempt(task, { n, path }))
  one.executor.submit(attempts)
  const others = attempts.filter((_, n) => n !== 5)
  await Promise.all(others.map(({ id }) => one.heard.end(id)))
  expect(one.heard.of(attempts[5]?.id ?? '').end).toBeUndefined()
  one.write('go', '')
  expect(await one.heard.end(attempts[5]?.id ?? '')).toMatchObject({ kind: 'succeeded' })
})

it('ends a process that says what it cannot mean', async () => {
  const one = open()
  expect(await one.run(one.task(file, 'talks_nonsense'))).toMatchObject({
    kind: 'lost',
    error: { message: 'The worker that ran the attempt died: it sent a frame of 2147483647 bytes.' },
  })
})

it('ends a task by force though it does not let its process listen', async () => {
  const one = open()
  const path = `${one.folder}/pid`
  const attempt = one.attempt(one.task(file, 'holds_the_lock'), { path })
  one.executor.submit([attempt])
  await vi.waitUntil(() => existsSync(path) && readFileSync(path, 'utf8') !== '', patience)
  one.executor.cancel(attempt.id, 50)
  expect(await one.heard.end(attempt.id)).toEqual({ kind: 'cancelled' })
  expect(isAlive(Number(readFileSync(path, 'utf8')))).toBe(false)
})

it('cancels a task whose module never ends to load', async () => {
  const one = open()
  const loading = one.write(
    'loads.py',
    'import sys, time\n\nprint("loading", flush=True)\nwhile True:\n    time.sleep(1)\n',
  )
  const attempt = one.attempt(one.task(loading, 'f'))
  one.executor.submit([attempt])
  await one.heard.until(() => one.heard.texts(attempt.id).includes('loading'))
  one.executor.cancel(attempt.id, 60_000)
  expect(await one.heard.end(attempt.id)).toEqual({ kind: 'cancelled' })
})

it('cancels one of several tasks in a process that allows threads, and leaves the others alone', async () => {
  const one = open()
  const path = (name: string) => `${one.folder}/${name}`
  const loops = ['a', 'b'].map((name) =>
    one.attempt(one.task(file, 'loops', { threads: 3 }), { path: path(name) }),
  )
  const waits = one.attempt(one.task(file, 'wait', { threads: 3 }), { path: path('go') })
  one.executor.submit([...loops, waits])
  await vi.waitUntil(() => existsSync(path('a')) && existsSync(path('b')), patience)
  for (const { id } of loops) one.executor.cancel(id, 60_000)
  for (const { id } of loops) expect(await one.heard.end(id)).toEqual({ kind: 'cancelled' })
  one.write('go', '')
  expect(await one.heard.end(waits.id)).toMatchObject({ kind: 'succeeded' })
})

it('is not held up by a process that a task forked and that went its own way', async () => {
  const one = open()
  const path = `${one.folder}/pid`
  expect(await one.run(one.task(file, 'forks'), { path })).toMatchObject({ kind: 'lost' })
  killProcess(Number(readFileSync(path, 'utf8')))
})

it('cancels what waits behind others at once', async () => {
  const one = open()
  const path = `${one.folder}/go`
  const [first, second] = [
    one.attempt(one.task(file, 'wait'), { path }),
    one.attempt(one.task(file, 'wait'), { path }),
  ]
  one.executor.submit([first, second])
  await one.heard.until(() => one.heard.of(first.id).started === 1)
  one.executor.cancel(second.id, 60_000)
  expect(await one.heard.end(second.id)).toEqual({ kind: 'cancelled' })
  one.write('go', '')
  expect(await one.heard.end(first.id)).toMatchObject({ kind: 'succeeded' })
})

it('fails what cannot start with what the interpreter said', async () => {
  const one = open()
  const end = await one.run(one.task(file, 'pid'), {}, { env: { PYTHONHOME: '/nowhere' } })
  expect(end).toMatchObject({ kind: 'failed', reason: 'lost', error: { code: 'ALM_WORKER_LOST' } })
  expect(end.kind === 'failed' && end.error.message).toMatch(
    /^The worker that ran the attempt died: it could not start, it ended with exit code 1: .*encodings/s,
  )
})

it('loses what was to begin in a process that somebody ends while it starts', async () => {
  const one = open()
  const end = await one.run(one.task(file, 'pid'), {}, { env: { PYTHONPATH: killsItself(one) } })
  expect(end).toMatchObject({ kind: 'lost' })
})

it('loses what was to begin in a process that the system refuses to start, and goes on with others', async () => {
  const one = open()
  const end = await one.run(one.task(file, 'pid'), {}, { env: { LARGE: 'x'.repeat(2 ** 24) } })
  expect(end).toMatchObject({ kind: 'lost', error: { message: expect.stringContaining('spawn E2BIG') } })
  expect(await one.value(one.task(file, 'pid'))).toEqual(expect.any(Number))
})

it('executes what has variables that something had before, though its processes have gone since', async () => {
  const one = open({ tasksPerProcess: 1, restMs: 1 })
  const task = one.task(file, 'variable')
  for (let round = 0; round < 3; round++) {
    const pids: number[] = []
    for (const SEED of ['1', '2', '3']) {
      const [seed, pid] = (await one.value(task, {}, { env: { SEED } })) as [string, number]
      expect(seed).toBe(SEED)
      pids.push(pid)
    }
    await vi.waitUntil(() => !pids.some(isAlive), patience)
  }
})

it('fails where there is no such interpreter', async () => {
  const one = open()
  const env = { requirements: one.write('requirements.txt', ''), python: '/nowhere/python' }
  const task = one.task(file, 'pid', { body: { kind: 'python', file, function: 'pid', threads: 1, env } })
  expect(await one.run(task)).toMatchObject({
    kind: 'failed',
    retryable: false,
    error: { code: 'ALM_PYTHON_MISSING', message: 'No Python /nowhere/python was found.' },
  })
})

it('leaves no process and no file behind when it is closed', async () => {
  const one = open({ processes: 2 })
  const path = `${one.folder}/pids`
  const attempt = one.attempt(one.task(file, 'with_child'), { path })
  one.executor.submit([attempt])
  await vi.waitUntil(() => existsSync(path), patience)
  const pids = readFileSync(path, 'utf8').split(' ').map(Number)
  expect(pids.filter(isAlive)).toEqual(pids)
  expect(filesOf(process.pid)).not.toEqual([])
  await one.executor.close()
  expect(pids.slice(0, 2).filter(isAlive)).toEqual([])
  expect(filesOf(process.pid)).toEqual([])
  killProcess(Number(pids[2]))
})

it('lets attempts wait for others where the machine has no room for another process', async () => {
  const one = open()
  const path = `${one.folder}/go`
  const attempts = Array.from({ length: 16 }, () => one.attempt(one.task(file, 'wait'), { path }))
  const work: HostedWork = {
    module: fileURLToPath(new URL('./executor.ts', import.meta.url)),
    open: 'openPythonExecutor',
    options: { processes: 16 },
    attempts,
  }
  const hosting = fileURLToPath(new URL('../../testing/executors/executor-host.ts', import.meta.url))
  const limited = ['-c', 'ulimit -n 80; exec "$@"', 'sh', process.execPath, hosting, JSON.stringify(work)]
  const child = spawn('sh', limited, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ends: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => ends.push(line))
  one.write('go', '')
  await vi.waitUntil(() => ends.length >= attempts.length, patience)
  child.kill('SIGKILL')
  expect(ends.filter((end) => !end.includes('"kind":"succeeded"'))).toEqual([])
})

const modules = ['executor.ts', '../../testing/task-spec.ts'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
)

const refused = `
import { createInterface } from 'node:readline'
import { channel } from 'node:diagnostics_channel'
const { openPythonExecutor } = await import(process.argv[1])
const { taskSpec } = await import(process.argv[2])
const said = (...words) => console.log(...words.map(String))
channel('child_process').subscribe(({ process }) => process.on('error', ({ code }) => said('refused', code)))
const clock = { now: () => Date.now(), at: () => () => undefined }
const ended = (id, end) => said(id, end.kind)
const listener = { started: said, log: said, heartbeat: said, note: said, ended }
const executor = openPythonExecutor({ clock, processes: 2, tasksPerProcess: 1 }, listener)
const task = taskSpec('pid', { kind: 'python', file: process.argv[3], function: 'pid', threads: 1 })
const base = { run: 'r', attempt: 1, key: 'k', task, outputs: {}, scratch: '', idempotencyKey: '', memoryBytes: 0, env: {}, logicalTime: 0 }
const submit = (id) => executor.submit([{ ...base, id, call: 1, inputs: {} }])
submit('first')
createInterface({ input: process.stdin }).on('line', submit)
`

it('tries again where the system refuses another process for a while', async () => {
  const one = open()
  // a limit of processes binds nobody who is root
  const user = process.getuid?.() === 0 ? { uid: 64_321, gid: 64_321 } : {}
  chmodSync(one.folder, 0o755)
  const words = ['--input-type=module', '-e', refused, ...modules, file]
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'], ...user })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const limit = (...words: string[]): string =>
    spawnSync('prlimit', ['--pid', String(child.pid), ...words], { encoding: 'utf8', ...user }).stdout.trim()
  await vi.waitUntil(() => lines.includes('first succeeded'), patience)
  const usual = limit('--raw', '--noheadings', '--nproc', '--output', 'SOFT')
  limit('--nproc=1:')
  child.stdin.write('second\n')
  await vi.waitUntil(() => lines.includes('refused EAGAIN'), patience)
  limit(`--nproc=${usual}:`)
  await vi.waitUntil(() => lines.some((line) => line.startsWith('second ')), patience)
  child.kill('SIGKILL')
  expect(lines.filter((line) => line.startsWith('second '))).toEqual(['second succeeded'])
})

it('says so where a process has nowhere to print to', async () => {
  const one = open({ places: ['/nowhere/shared', '/nowhere/temporary'] })
  expect(await one.run(one.task(file, 'pid'))).toMatchObject({
    kind: 'failed',
    error: {
      code: 'ALM_STORE_FAILED',
      message: expect.stringMatching(
        /^\/nowhere\/shared \(cannot be read\) and \/nowhere\/temporary \(cannot be read\): what a Python process prints cannot be written there: ENOENT/,
      ),
    },
    retryable: true,
  })
})

/** A directory for modules, of which Python imports one when it starts. */
function killsItself(one: PythonBench): string {
  const path = one.write('sitecustomize.py', 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n')
  return dirname(path)
}

const host = `
const { openPythonExecutor } = await import(process.argv[1])
const { taskSpec } = await import(process.argv[2])
const [file, path, name] = process.argv.slice(3)
const clock = { now: () => Date.now(), at: (time, wake) => { const t = setTimeout(wake, time - Date.now()); return () => clearTimeout(t) } }
const said = (...words) => console.log(...words)
const listener = { started: (id) => said('started', id), log: said, heartbeat: said, note: said, ended: said }
const executor = openPythonExecutor({ clock, processes: 2, restMs: 100 }, listener)
const task = taskSpec(name, { kind: 'python', file, function: name, threads: 1 })
const base = { run: 'r', attempt: 1, key: 'k', task, outputs: {}, scratch: '', idempotencyKey: '', memoryBytes: 0, env: {}, logicalTime: 0 }
executor.submit([{ ...base, id: 'a', call: 1, inputs: { path } }])
`

/** A program that opens an executor, and submits one attempt. */
function hosted(name: string, path: string): ChildProcessByStdio<null, Readable, null> {
  const words = ['--input-type=module', '-e', host, ...modules, file, path, name]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  createInterface({ input: child.stdout }).resume()
  return child
}

it('does not keep a program alive that closes nothing, nor goes on after it', async () => {
  open()
  const child = hosted('wait', file)
  const code = await new Promise((resolve) => child.once('exit', resolve))
  expect(code).toBe(0)
  await vi.waitUntil(() => filesOf(child.pid ?? 0).length === 0, patience)
})

it.each(['with_child', 'holds_the_lock'])(
  'leaves no process and no file behind when its host is killed during %s',
  async (name) => {
    const one = open()
    const path = `${one.folder}/pids`
    const child = hosted(name, path)
    const exited = new Promise((resolve) => child.once('exit', resolve))
    await vi.waitUntil(() => existsSync(path) && readFileSync(path, 'utf8') !== '', patience)
    const pids = readFileSync(path, 'utf8').split(' ').map(Number)
    expect(filesOf(child.pid ?? 0)).not.toEqual([])
    child.kill('SIGKILL')
    await exited
    await vi.waitUntil(() => pids.slice(0, 2).filter(isAlive).length === 0, patience)
    await vi.waitUntil(() => filesOf(child.pid ?? 0).length === 0, patience)
    if (pids[2] !== undefined) killProcess(pids[2])
  },
)

it('sweeps what a dead host left, and nothing of one that lives', async () => {
  const mine = open()
  await mine.value(mine.task(file, 'pid'))
  const [name = ''] = filesOf(process.pid)
  const [, space, pid, start] = /^almanac-(\d+)-(\d+)-(\d+)-/.exec(name) ?? []
  const left = ['1', String(Number(start) + 1)].map((other) =>
    join(sharedDirectory(), `almanac-${space}-${pid}-${other}-9-m1`),
  )
  const elsewhere = join(sharedDirectory(), `almanac-7-${pid}-1-9-m1`)
  for (const path of [...left, elsewhere]) writeFileSync(path, '')
  const other = openPythonExecutor(
    { clock: { now: () => 0, at: () => () => undefined, atRest: () => undefined }, processes: 1 },
    mine.heard,
  )
  other.submit([mine.attempt(mine.task(file, 'pid'))])
  await mine.heard.end('r1/2.1')
  expect([...left, elsewhere].map((path) => existsSync(path))).toEqual([false, false, true])
  await other.close()
  expect(await mine.value(mine.task(file, 'pid'))).toEqual(expect.any(Number))
  rmSync(elsewhere)
})
