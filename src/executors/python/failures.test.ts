import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AttemptEnd } from '../../ports/executor.ts'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { isOver, standStill } from '../../testing/executors/standstill.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openPythonExecutor } from './executor.ts'

let bench: PythonBench
let file: string

const source = `
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time


class Terminal(Exception):
    almanac_terminal = True


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def fails(how):
    if how == "plain":
        raise ValueError("not a valid time: 25:00")
    if how == "terminal":
        raise Terminal("never")
    if how == "silent":
        raise Silent()
    if how == "library":
        json.loads("{broken")
    if how == "chained":
        try:
            {}["missing"]
        except KeyError as error:
            raise RuntimeError("while reading") from error
    if how == "exit":
        sys.exit(3)
    if how == "exit text":
        sys.exit("because")
    if how == "memory":
        raise MemoryError("no room for the array")
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "group":
        raise ExceptionGroup("many", [ValueError(1)]) if sys.version_info > (3, 11) else ValueError("many")
    if how == "long":
        raise ValueError("x" * 1_000_000)


def dies(how):
    print("last words", file=sys.stderr)
    if how == "exit":
        os._exit(7)
    if how == "crash":
        ctypes.string_at(0)
    if how == "abort":
        os.abort()
    os.kill(os.getpid(), getattr(signal, how))


def ends_and_dies(go):
    while not os.path.exists(go):
        pass

    def die():
        # what its host does not read stays in the socket: the end of the task
        while fcntl.ioctl(3, termios.TIOCOUTQ, bytes(4)) == bytes(4):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=die).start()
    return "told"


def pid():
    return os.getpid()


def hangs():
    while True:
        time.sleep(1000)


def outlasts(folder):
    # what left the group holds a socket of the process: the end of that is told only a while after it
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            while os.path.exists(folder):
                time.sleep(0.05)
        os._exit(0)
    os.wait()
    hangs()


def swells(megabytes):
    len([bytearray(b"x") * (1 << 16) for _ in range(16 * megabytes)])

def grows(megabytes):
    kept = []
    for _ in range(megabytes):
        kept.append(bytearray(b"x") * (1 << 20))
    time.sleep(1000)

def grows_below(megabytes):
    code = f"import sys; kept = bytearray(b'x') * ({megabytes} << 20); sys.stdin.read()"
    below = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, start_new_session=True)
    below.wait()
`

beforeAll(() => {
  bench = new PythonBench((clock, listener) =>
    openPythonExecutor({ clock, processes: 1, killAfterMs: 200 }, listener),
  )
  file = bench.write('steps.py', source)
})
afterAll(() => bench.close())

const line = (text: string) => source.split('\n').findIndex((one) => one.includes(text)) + 1
const run = (name: string, inputs = {}, more = {}): Promise<AttemptEnd> =>
  bench.run(bench.task(file, name), inputs, more)
const fails = (how: string) => run('fails', { how })

describe('an exception', () => {
  it('is told with its type, its words, the line of the author and the frames', async () => {
    const at = line('25:00')
    expect(await fails('plain')).toEqual({
      kind: 'failed',
      reason: 'error',
      retryable: true,
      usage: expect.objectContaining({ cpuMs: expect.any(Number) }),
      error: {
        code: 'ALM_TASK_FAILED',
        message: 'not a valid time: 25:00',
        hint: 'Correct the task and resume the run: what succeeded is kept.',
        type: 'ValueError',
        types: ['builtins.ValueError', 'builtins.Exception', 'builtins.BaseException'],
        file,
        line: at,
        stack:
          'Traceback (most recent call last):\n' +
          `  File "${file}", line ${at}, in fails\n` +
          '    raise ValueError("not a valid time: 25:00")\n' +
          'ValueError: not a valid time: 25:00\n',
      },
    })
  })

  it('is not tried again where it says so itself', async () => {
    expect(await fails('terminal')).toMatchObject({
      retryable: false,
      error: { type: 'Terminal', message: 'never' },
    })
  })

  it('has the line of the author where a library raised it, and the last frame of the library', async () => {
    const end = await fails('library')
    expect(end).toMatchObject({ error: { type: 'JSONDecodeError', file, line: line('{broken') } })
    const stack = end.kind === 'failed' ? end.error.stack?.split('\n') : []
    expect(stack?.filter((one) => /^ {2}(File|…)/.test(one))).toEqual([
      expect.stringContaining(`File "${file}"`),
      '  … 2 frames of libraries',
      expect.stringMatching(/File ".*json\/decoder.py", line \d+, in raw_decode/),
    ])
  })

  it('keeps its cause as text', async () => {
    const end = await fails('chained')
    expect(end).toMatchObject({ error: { type: 'RuntimeError', message: 'while reading' } })
    const stack = (end.kind === 'failed' && end.error.stack) || ''
    expect(stack.indexOf("KeyError: 'missing'")).toBeLessThan(stack.indexOf('direct cause'))
    expect(stack.indexOf('direct cause')).toBeLessThan(stack.indexOf('RuntimeError: while reading'))
  })

  it('is told even where it cannot tell of itself, and is cut where it says too much', async () => {
    expect(await fails('silent')).toMatchObject({
      error: { type: 'Silent', message: '(Silent.__str__ raised RuntimeError)' },
    })
    const long = await fails('long')
    expect((long.kind === 'failed' && long.error.message.length) || 0).toBeLessThan(10_000)
  })

  it.each([
    [
      'exit',
      { reason: 'error', error: { code: 'ALM_TASK_EXIT', type: 'SystemExit', line: line('sys.exit(3)') } },
    ],
    ['exit text', { error: { code: 'ALM_TASK_EXIT', message: expect.stringContaining('because') } }],
    ['memory', { reason: 'memory', error: { code: 'ALM_TASK_MEMORY', type: 'MemoryError' } }],
    ['interrupt', { retryable: false, error: { code: 'ALM_TASK_FAILED', type: 'KeyboardInterrupt' } }],
    ['group', { error: { code: 'ALM_TASK_FAILED' } }],
  ])('of the kind %s is a failure, and the process goes on', async (how, expected) => {
    const before = await bench.value(bench.task(file, 'pid'))
    expect(await fails(how)).toMatchObject({ kind: 'failed', ...expected })
    expect(await bench.value(bench.task(file, 'pid'))).toBe(before)
  })
})

describe('a task that cannot be loaded', () => {
  it('is told where its file or its function is not there', async () => {
    expect(await bench.failure(bench.task(`${bench.folder}/none.py`, 'f'))).toBe(
      `ALM_TASK_NOT_FOUND f of ${bench.folder}/none.py was not found: ${bench.folder}/none.py does not exist`,
    )
    expect(await bench.failure(bench.task(`${bench.folder}/no/where.py`, 'f'))).toContain(
      'where.py does not exist',
    )
    expect(await bench.failure(bench.task(file, 'fail'))).toBe(
      `ALM_TASK_NOT_FOUND fail of ${file} was not found: ${file} has no fail; did you mean fails?`,
    )
    expect(await bench.failure(bench.task(file, 'Terminal.almanac_terminal'))).toContain(
      'is no function but a bool',
    )
  })

  it.each([
    ['syntax.py', 'x = (\n\ndef f():\n    return 1\n', { type: 'SyntaxError', line: 1 }, false],
    [
      'missing.py',
      '\nimport not_installed_anywhere\n\ndef f():\n    return 1\n',
      { type: 'ModuleNotFoundError', line: 2 },
      false,
    ],
    ['raises.py', '\n\nraise OSError("disk")\n', { type: 'OSError', message: 'disk', line: 3 }, true],
  ])('is told with the line where %s fails', async (name, text, expected, retryable) => {
    const broken = bench.write(`broken/${name}`, text)
    expect(await bench.run(bench.task(broken, 'f'))).toMatchObject({
      kind: 'failed',
      retryable,
      error: { code: 'ALM_TASK_FAILED', file: broken, ...expected },
    })
  })
})

describe('an attempt that waits for its environment', () => {
  it('is cancelled once, though none can be made, and what follows is executed', async () => {
    const env = { requirements: `${bench.folder}/none.txt` }
    const task = taskSpec('pid', { kind: 'python', file, function: 'pid', threads: 1, env })
    const [waits, fails] = [bench.attempt(task), bench.attempt(task)]
    bench.executor.submit([waits, fails])
    bench.executor.cancel(waits.id, 60_000)
    expect(await Promise.all([waits, fails].map(({ id }) => bench.heard.end(id)))).toMatchObject([
      { kind: 'cancelled' },
      { kind: 'failed', error: { code: 'ALM_PYTHON_ENV' } },
    ])
    expect(await bench.value(bench.task(file, 'pid'))).toEqual(expect.any(Number))
  })
})

describe('a worker that dies', () => {
  it.each([
    ['exit', 'it ended with exit code 7', 'exit 7'],
    ['abort', 'it was ended by SIGABRT', 'SIGABRT'],
    ['crash', 'it was ended by SIGSEGV', 'SIGSEGV'],
  ])('by %s fails the task that was alone in it, with what Python said last', async (how, why, type) => {
    const end = await run('dies', { how })
    expect(end).toMatchObject({
      kind: 'failed',
      reason: 'lost',
      retryable: true,
      error: { code: 'ALM_TASK_DIED', message: `The process of the task ended: ${why}.`, type },
    })
    if (end.kind !== 'failed') return
    expect(end.error.stack).toContain('last words')
    if (how === 'crash') expect(end.error).toMatchObject({ file, line: line('string_at') })
  })

  it.each(['SIGKILL', 'SIGTERM', 'SIGHUP'])(
    'by %s from outside loses the attempt, and the next one runs',
    async (how) => {
      expect(await run('dies', { how })).toMatchObject({
        kind: 'lost',
        error: {
          code: 'ALM_WORKER_LOST',
          message: `The worker that ran the attempt died: it was ended by ${how}.`,
        },
      })
      expect(await bench.value(bench.task(file, 'pid'))).toEqual(expect.any(Number))
    },
  )
})

it.skipIf(process.platform !== 'linux')(
  'has what a worker told before it died, though its host stood still meanwhile',
  async () => {
    const pid = (await bench.value(bench.task(file, 'pid'))) as number
    const attempt = bench.attempt(bench.task(file, 'ends_and_dies'), { go: join(bench.folder, 'go') })
    bench.executor.submit([attempt])
    await bench.heard.until(() => bench.heard.of(attempt.id).started > 0)
    // what another says is heard in the turn in which its end is found: then the worker has ended too, unheard
    const other = spawn('echo', ['up'], { stdio: ['ignore', 'pipe', 'ignore'] })
    other.stdout.once('data', () => {
      bench.write('go', '')
      while (!isOver(pid));
      setImmediate(() => standStill(1000))
    })
    while (!isOver(other.pid ?? 0));
    expect(await bench.heard.end(attempt.id)).toMatchObject({ kind: 'succeeded', values: { '': 'told' } })
  },
)

describe('a task that is too much', () => {
  it('is ended when it never returns', async () => {
    expect(await run('hangs', {}, { timeoutMs: 100 })).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
      error: { code: 'ALM_TASK_TIMEOUT' },
    })
  })

  it('is ended once, though its grace ends while its process does, and what follows is executed', async () => {
    expect(await run('outlasts', { folder: bench.folder }, { timeoutMs: 100 })).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
    })
    expect(await bench.value(bench.task(file, 'pid'))).toEqual(expect.any(Number))
  })

  it('is ended when it uses more memory than it may', async () => {
    const end = await run('grows', { megabytes: 150 }, { memoryBytes: 100 * 2 ** 20 })
    expect(end).toMatchObject({
      kind: 'failed',
      reason: 'memory',
      retryable: true,
      error: { code: 'ALM_TASK_MEMORY' },
    })
    expect(end.kind === 'failed' && end.error.message).toMatch(/it used 1\d\d(\.\d)? MiB of 100 MiB/)
  })

  it('is ended when processes that it began, in groups of their own, use more', async () => {
    const end = await run('grows_below', { megabytes: 150 }, { memoryBytes: 100 * 2 ** 20 })
    expect(end).toMatchObject({ kind: 'failed', reason: 'memory', error: { code: 'ALM_TASK_MEMORY' } })
  })

  it('is ended for it also where an earlier one left its process as large', async () => {
    expect(await run('swells', { megabytes: 1 }, { memoryBytes: 500 * 2 ** 20 })).toMatchObject({
      kind: 'succeeded',
    })
    expect(await run('swells', { megabytes: 200 })).toMatchObject({ kind: 'succeeded' })
    const end = await run('grows', { megabytes: 150 }, { memoryBytes: 100 * 2 ** 20 })
    expect(end).toMatchObject({ kind: 'failed', reason: 'memory', error: { code: 'ALM_TASK_MEMORY' } })
  })
})
