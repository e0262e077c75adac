import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dateOf } from '../../model/instant.ts'
import { DirRef, FileRef } from '../../model/refs.ts'
import type { Value } from '../../model/value.ts'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { openPythonExecutor } from './executor.ts'

let bench: PythonBench
let file: string

const source = `
import dataclasses
import datetime
import decimal
import enum
import os
import pathlib


def add(a, b):
    return a + b


def echo(value):
    return value


def describe(value):
    return f"{type(value).__name__} {value!r}"


def paths(file, folder):
    return [type(file).__name__, str(file), file.read_text(), sorted(p.name for p in folder.iterdir())]


def two_files(text, out, log):
    out.write_text(text)
    log.mkdir()
    (log / "a").write_text("b")
    return "done"


def values_only(text):
    return {"upper": text.upper(), "size": len(text)}


def one_value(text):
    return {"report": text}


def takes_all(**named):
    return {name: str(value) for name, value in sorted(named.items())}


def positional(a, b=2, /, c=3):
    return [a, b, c]


async def later(value):
    return value


@dataclasses.dataclass
class Point:
    x: float
    y: float


class Level(enum.IntEnum):
    LOW = 1


def results(kind):
    return {
        "tuple": (1, (2,)),
        "dataclass": Point(1.5, 2.5),
        "int enum": Level.LOW,
        "naive time": datetime.datetime(2026, 1, 2, 3, 4, 5, 678901),
        "zoned time": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
        "date": datetime.date(2026, 1, 2),
        "big": 2**70,
        "numbers": [float("nan"), float("inf"), float("-inf"), -0.0, 2**53 - 1, 2**53],
        "many": list(range(1000)),
        "many floats": [0.5] * 100 + [float("nan")],
        "bytes": b"\\x00\\xff",
        "large bytes": bytes(70_000),
        "dollar": {"$": "date", "v": 1},
        "proto": {"__proto__": 1},
        "surrogate": "\\ud800 \\U0001f30d",
        "set": {1, 2},
        "path": pathlib.Path("/x"),
        "decimal": decimal.Decimal("1.5"),
        "number key": {"a": [{1: 2}]},
        "complex": 1j,
        "function": len,
        "deep": deep(),
        "generator": (i for i in range(3)),
    }[kind]


def deep():
    value = []
    value.append(value)
    return value


def surroundings():
    names = ["RUN", "CALL", "ATTEMPT", "LOGICAL_TIME", "IDEMPOTENCY_KEY", "SCRATCH"]
    return {**{name: os.environ["ALMANAC_" + name] for name in names}, "cwd": os.getcwd()}


import_time = os.environ.setdefault("SET_BY_IMPORT", "once")


def set_by_import():
    return os.environ["SET_BY_IMPORT"]


def all_variables():
    return sorted(os.environ)


def spoil_surroundings():
    os.environ["ALMANAC_CALL"] = "other"
    del os.environ["ALMANAC_RUN"]
    os.chdir("/")
`

beforeAll(() => {
  bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes: 1 }, listener))
  file = bench.write('steps.py', source)
})
afterAll(() => bench.close())

const task = (name: string, outputs?: Record<string, 'value' | 'file' | 'dir'>) =>
  bench.task(file, name, outputs === undefined ? {} : { outputs })
const call = (name: string, inputs: Record<string, Value> = {}) => bench.value(task(name), inputs)

describe('arguments of a Python function', () => {
  it('are the inputs by name', async () => {
    expect(await call('add', { a: 1, b: 2 })).toBe(3)
    expect(await call('add', { b: 'b', a: 'a' })).toBe('ab')
  })

  it('are native to Python', async () => {
    const day = new Date('2026-01-02T03:04:05.678Z')
    expect(await call('describe', { value: day })).toBe(
      'datetime datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc)',
    )
    expect(await call('describe', { value: 12n ** 30n })).toBe(`int ${12n ** 30n}`)
    expect(await call('describe', { value: new Uint8Array([0, 255]) })).toBe(`bytes b'\\x00\\xff'`)
    expect(await call('describe', { value: [undefined, null, true, -0, Number.NaN, 1, 1.5] })).toBe(
      'list [None, None, True, -0.0, nan, 1, 1.5]',
    )
    expect(await call('describe', { value: { $: 'file', v: { $: 1 } } })).toBe(
      `dict {'$': 'file', 'v': {'$': 1}}`,
    )
    expect(await call('describe', { value: JSON.parse('{"__proto__": 1}') as Value })).toBe(
      `dict {'__proto__': 1}`,
    )
  })

  it('are paths for files and directories, whatever their names', async () => {
    const name = 'a b\nü $x.txt'
    const at = bench.write(name, 'content')
    bench.write('folder/two', '')
    bench.write('folder/one', '')
    const digest = '0'.repeat(64)
    const inputs = {
      file: new FileRef(name, digest, 7, false, at),
      folder: new DirRef(digest, 2, 0, join(bench.folder, 'folder')),
    }
    expect(await call('paths', inputs)).toEqual(['PosixPath', at, 'content', ['one', 'two']])
  })

  it('come back as they went in, large bytes through shared memory', async () => {
    const large = new Uint8Array(70_000).map((_, at) => at % 251)
    for (const value of [
      null,
      true,
      -0,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      2 ** 53,
      10n ** 30n,
      'text \u0000 ü 🌍 \u2028',
      [],
      {},
      { a: [{ b: [1, 'x'] }] },
      new Date(0),
      new Uint8Array([1, 2]),
      large,
      { list: [large, { $: large }] },
      { $: 'object', v: 1 },
    ] as Value[]) {
      expect(await call('echo', { value })).toEqual(
        typeof value === 'number' && Math.abs(value) >= 2 ** 53 && Number.isFinite(value)
          ? BigInt(value)
          : value,
      )
    }
  })

  it('may be taken by position only, by any name, or by a coroutine', async () => {
    expect(await call('positional', { a: 1, c: 5 })).toEqual([1, 2, 5])
    expect(await call('takes_all', { x: 1, y: [2] })).toEqual({ x: '1', y: '[2]' })
    expect(await call('later', { value: 4 })).toBe(4)
  })

  it('are refused without another try where the function does not take them', async () => {
    const end = await bench.run(task('add'), { a: 1, c: 2 })
    expect(end).toMatchObject({
      kind: 'failed',
      reason: 'error',
      retryable: false,
      error: { code: 'ALM_TASK_SIGNATURE', file, line: 10 },
    })
    expect(end.kind === 'failed' && end.error.message).toBe(
      `add of ${file} cannot be called with what the task gives it: ` +
        'it has no parameter c; its parameter b is given nothing; it is add(a, b).',
    )
  })
})

describe('outputs of a Python function', () => {
  it('are left at the paths that it takes, and returned where they are values', async () => {
    const outputs = { out: join(bench.folder, 'o.txt'), log: join(bench.folder, 'o.d') }
    const spec = task('two_files', { out: 'file', log: 'dir', said: 'value' })
    expect(await bench.run(spec, { text: 'hello' }, { outputs })).toMatchObject({
      kind: 'succeeded',
      values: { said: 'done' },
    })
    expect(readFileSync(outputs.out, 'utf8')).toBe('hello')
    expect(existsSync(join(outputs.log, 'a'))).toBe(true)
  })

  it('need no value where only files are declared', async () => {
    const outputs = { out: join(bench.folder, 'only.txt'), log: join(bench.folder, 'only.d') }
    const spec = task('two_files', { out: 'file', log: 'dir' })
    expect(await bench.run(spec, { text: 'a' }, { outputs })).toMatchObject({ kind: 'succeeded', values: {} })
  })

  it('are refused before the function runs where it takes no path for a file', async () => {
    const spec = task('values_only', { out: 'file' })
    const end = await bench.run(spec, { text: 'a' }, { outputs: { out: '/nowhere' } })
    expect(end).toMatchObject({ kind: 'failed', retryable: false, error: { code: 'ALM_TASK_SIGNATURE' } })
    expect(end.kind === 'failed' && end.error.message).toBe(
      `values_only of ${file} cannot be called with what the task gives it: ` +
        'it has no parameter out for the path to leave that output at; it is values_only(text).',
    )
  })

  it('are a dict by name where several are declared, and the value itself where it is one', async () => {
    expect(
      await bench.run(task('values_only', { upper: 'value', size: 'value' }), { text: 'a' }),
    ).toMatchObject({
      values: { upper: 'A', size: 1 },
    })
    expect(await bench.run(task('one_value', { report: 'value' }), { text: 'a' })).toMatchObject({
      values: { report: { report: 'a' } },
    })
  })

  it('come with the time that the function took, not with that until they are heard of', async () => {
    const took: (number | undefined)[] = []
    const { onEnd } = bench.heard
    bench.heard.onEnd = (_, end) => took.push(end.kind === 'succeeded' ? end.tookMs : undefined)
    const spec = task('values_only', { upper: 'value', size: 'value' })
    await Promise.all(['a', 'b', 'c'].map((text) => bench.run(spec, { text })))
    bench.heard.onEnd = onEnd
    // the first may have been heard to begin, as its process has only begun
    expect(took.slice(1)).toEqual([expect.any(Number), expect.any(Number)])
  })

  it('are refused where names and dict do not agree', async () => {
    expect(await bench.failure(task('values_only', { upper: 'value', other: 'value' }), { text: 'a' })).toBe(
      'ALM_RESULT_REFUSED The result of the task cannot be kept: at (the value itself): the dict has no other.',
    )
    expect(await bench.failure(task('echo', { a: 'value', b: 'value' }), { value: 1 })).toBe(
      'ALM_RESULT_REFUSED The result of the task cannot be kept: at (the value itself): it is a int, and not a dict with the outputs a, b.',
    )
  })

  it.each([
    ['tuple', [1, [2]]],
    ['dataclass', { x: 1.5, y: 2.5 }],
    ['int enum', 1],
    ['naive time', dateOf('2026-01-02T03:04:05.678901Z')],
    ['zoned time', new Date('2026-01-01T22:00:00Z')],
    ['date', '2026-01-02'],
    ['big', 2n ** 70n],
    ['numbers', [Number.NaN, Infinity, -Infinity, -0, 2 ** 53 - 1, 2n ** 53n]],
    ['many', Array.from({ length: 1000 }, (_, at) => at)],
    ['many floats', [...Array.from({ length: 100 }, () => 0.5), Number.NaN]],
    ['bytes', new Uint8Array([0, 255])],
    ['large bytes', new Uint8Array(70_000)],
    ['dollar', { $: 'date', v: 1 }],
    ['proto', JSON.parse('{"__proto__": 1}')],
    ['surrogate', '\ud800 🌍'],
  ])('keep a %s', async (kind, value) => {
    expect(await call('results', { kind })).toStrictEqual(value)
  })

  it.each([
    ['set', '(the value itself): it is a set, which has no order: make it a sorted list'],
    [
      'path',
      '(the value itself): it is a path (PosixPath); leave files at the paths of declared outputs, or return its text',
    ],
    ['decimal', '(the value itself): it is a Decimal: make it a float or a text'],
    ['number key', 'a[0]: its key 1 is no text'],
    [
      'complex',
      '(the value itself): it is a complex number: return its parts, [z.real, z.imag], or an array',
    ],
    ['function', '(the value itself): it is a function (len)'],
    ['generator', '(the value itself): it is a generator: make it a list of what it gives'],
  ])('refuse a %s with the path to it', async (kind, why) => {
    expect(await bench.failure(task('results'), { kind })).toBe(
      `ALM_RESULT_REFUSED The result of the task cannot be kept: at ${why}.`,
    )
  })

  it('refuse what contains itself', async () => {
    expect(await bench.failure(task('results'), { kind: 'deep' })).toContain('contains itself')
  })
})

describe('surroundings of a Python function', () => {
  it('say which attempt it is, whatever the last one did to them', async () => {
    const attempt = bench.attempt(task('surroundings'), {}, { attempt: 3 })
    await call('spoil_surroundings')
    bench.executor.submit([attempt])
    expect(await bench.heard.end(attempt.id)).toMatchObject({
      values: {
        '': {
          RUN: 'r1',
          CALL: String(attempt.call),
          ATTEMPT: '3',
          LOGICAL_TIME: '2026-01-02T00:00:00.000Z',
          IDEMPOTENCY_KEY: attempt.idempotencyKey,
          SCRATCH: attempt.scratch,
          cwd: attempt.scratch,
        },
      },
    })
  })

  it('keep what modules set when they were imported', async () => {
    expect([await call('set_by_import'), await call('set_by_import')]).toEqual(['once', 'once'])
  })

  it('hold no variables but those of the machine and those declared', async () => {
    process.env['UNDECLARED'] = 'x'
    const variables = await bench.value(task('all_variables'), {}, { env: { MY_SETTING: '1' } })
    delete process.env['UNDECLARED']
    expect(variables).toContain('MY_SETTING')
    expect(variables).not.toContain('UNDECLARED')
    expect(variables).not.toContain('MALLOC_ARENA_MAX')
  })
})
