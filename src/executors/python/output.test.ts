import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PythonBench } from '../../testing/executors/python-bench.ts'
import { openPythonExecutor } from './executor.ts'

let bench: PythonBench
let file: string

const source = `
import ctypes
import logging
import math
import os
import subprocess
import sys
import threading
import time

log = logging.getLogger("steps")


def prints(text):
    print(text)


def everywhere(text):
    print("python", text)
    print("error", text, file=sys.stderr)
    ctypes.CDLL(None).printf(b"from C, without an end of its line")
    os.write(1, b"")
    subprocess.run(["echo", "from a child"])


def order():
    print("one")
    subprocess.run(["echo", "two"])
    print("three")


def floods(lines):
    thousand = "\\n".join(["x" * 99] * 1000)
    for _ in range(lines // 1000):
        print(thousand)
    return "done"


def odd():
    sys.stdout.buffer.write(b"broken \\xff utf-8\\n")
    print("10%\\r50%\\r100%")
    print("tab\\tand \\x1b[31mred\\x1b[0m")
    print("l" * 200_000)
    print("no end", end="")


def logs():
    logging.debug("not this")
    logging.info("root %d", 1)
    log.warning("careful")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
    log.info("%d", "wrong")


def configured():
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s~%(message)s", force=True)
    logging.debug("mine")


def closes():
    sys.stdout.close()


def says_then_waits(path):
    print("still here")
    logging.info("and waiting")
    while not os.path.exists(path):
        time.sleep(0.01)


def in_threads(name, others, path):
    for n in range(100):
        print(name, n)
    logging.info("by %s", name)
    with open(path + name, "w"):
        pass
    while not all(os.path.exists(path + other) for other in others):
        time.sleep(0.005)
    print(name, "end", end="")


def helper_thread():
    thread = threading.Thread(target=lambda: (print("from a thread"), logging.info("logged by it")))
    thread.start()
    thread.join()


def forks(how):
    child = os.fork()
    if child == 0:
        logging.info("logged by the child")
        if how == "raises":
            raise ValueError("of the child")
        return "child"
    return ["parent", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


def profiled():
    import cProfile

    return "order" in cProfile.Profile().runcall(lambda: [order.__name__ for _ in range(1000)])


def notes():
    import almanac_task

    almanac_task.event("arrived", cycle="12")
    almanac_task.metric("rmse", 0.25, step=4)
    almanac_task.artifact("report", "markdown", text="# Fine")
    almanac_task.progress(3, 10)
    almanac_task.heartbeat()


def not_finite():
    import almanac_task

    almanac_task.metric("loss", float("nan"), step=4)
    almanac_task.metric("gain", -math.inf)
    almanac_task.artifact("table", "table", rows=[{"a": 1.5}, {"a": math.nan}, {"a": math.inf}])
    almanac_task.event("ended", loss=math.nan, NaN="NaN")


def event_lines():
    with open(os.environ["ALMANAC_EVENTS"], "a") as events:
        events.write('{"type":"event","name":"e","n":1}\\n{broken\\n\\n')
    subprocess.run('echo \\'{"type":"metric","name":"m","value":2}\\' >> "$ALMANAC_EVENTS"', shell=True)
    with open(os.environ["ALMANAC_EVENTS"], "a") as events:
        events.write('{"type":"event","name":"no end"}')
`

const open = (options: { readonly logBytes?: number; readonly processes?: number } = {}) => {
  const { processes = 1, ...limits } = options
  bench = new PythonBench((clock, listener) => openPythonExecutor({ clock, processes, limits }, listener))
  file = bench.write('steps.py', source)
}

beforeEach(() => open())
afterEach(() => bench.close())

async function heard(name: string, inputs = {}, more = {}) {
  const attempt = bench.attempt(bench.task(file, name), inputs, more)
  bench.executor.submit([attempt])
  const end = await bench.heard.end(attempt.id)
  const { lines, notes, heartbeats } = bench.heard.of(attempt.id)
  return { end, notes, heartbeats, lines: lines.map(({ stream, text }) => `${stream}: ${text}`) }
}

describe('what a task writes', () => {
  it('is its log, whoever in its process or its children wrote it', async () => {
    const { lines } = await heard('everywhere', { text: 'ü 🌍\ntwo' })
    const of = (stream: string) => lines.filter((one) => one.startsWith(stream))
    // a busy machine reads one stream before all of the other is there
    expect([...of('stdout'), ...of('stderr')]).toEqual([
      'stdout: python ü 🌍',
      'stdout: two',
      'stdout: from a child',
      'stdout: from C, without an end of its line',
      'stderr: error ü 🌍',
      'stderr: two',
    ])
    expect(lines).toHaveLength(6)
    expect((await heard('order')).lines).toEqual(['stdout: one', 'stdout: two', 'stdout: three'])
    expect((await heard('helper_thread')).lines).toEqual([
      'stdout: from a thread',
      'log: INFO root: logged by it',
    ])
  })

  it('is its log also from a child that it forked, whose end is not its own', async () => {
    const logged = 'stderr: INFO root: logged by the child'
    const ends = 'stderr: this process was forked by a task, and ends here: end it by os._exit'
    const returned = await heard('forks', { how: 'returns' })
    expect(returned.end).toMatchObject({ values: { '': ['parent', 0] } })
    expect(returned.lines).toEqual([logged, ends])
    const { end, lines } = await heard('forks', { how: 'raises' })
    expect(end).toMatchObject({ values: { '': ['parent', 1] } })
    expect(lines.slice(0, 2)).toEqual([logged, 'stderr: Traceback (most recent call last):'])
    expect(lines.slice(-2)).toEqual(['stderr: ValueError: of the child', ends])
    expect(lines.filter((line) => line.includes('almanac_worker'))).toEqual([])
    const inThread = bench.task(file, 'forks', { threads: 2 })
    expect(await bench.value(inThread, { how: 'raises' })).toEqual(['parent', 1])
  })

  it('stays with its own attempt, one after the other', async () => {
    const attempts = Array.from({ length: 200 }, (_, n) =>
      bench.attempt(bench.task(file, 'prints'), { text: `${n}\n-${n}` }),
    )
    bench.executor.submit(attempts)
    await Promise.all(attempts.map(({ id }) => bench.heard.end(id)))
    expect(attempts.map(({ id }) => bench.heard.texts(id))).toEqual(
      attempts.map((_, n) => [String(n), `-${n}`]),
    )
  })

  it('may be anything', async () => {
    const { lines } = await heard('odd')
    expect(lines.slice(0, 5)).toEqual([
      'stdout: broken \ufffd utf-8',
      'stdout: 10%',
      'stdout: 50%',
      'stdout: 100%',
      'stdout: tab\tand \u001b[31mred\u001b[0m',
    ])
    expect(lines.at(-1)).toBe('stdout: no end')
    expect(lines.slice(5, -1).join('').replaceAll('stdout: ', '')).toBe('l'.repeat(200_000))
  })

  it('is told while the task runs', async () => {
    const path = `${bench.folder}/go`
    const attempt = bench.attempt(bench.task(file, 'says_then_waits'), { path })
    bench.executor.submit([attempt])
    await bench.heard.until(() => bench.heard.texts(attempt.id).length === 2)
    expect(bench.heard.of(attempt.id)).toMatchObject({ end: undefined })
    expect(bench.heard.texts(attempt.id).sort()).toEqual(['INFO root: and waiting', 'still here'])
    bench.write('go', '')
    expect(await bench.heard.end(attempt.id)).toMatchObject({ kind: 'succeeded' })
  })

  it('of 100 MB neither stops the task nor is kept', async () => {
    await bench.close()
    open({ logBytes: 1_000_000 })
    const { end, lines } = await heard('floods', { lines: 1_000_000 })
    expect(end).toMatchObject({ kind: 'succeeded', values: { '': 'done' } })
    expect(lines).toHaveLength(10_000 + 2)
    expect(lines.at(-2)).toBe('log: The log is full at 976.6 KiB: what follows is dropped.')
    // what is written in the moment in which the file is emptied is not counted
    expect(lines.at(-1)).toMatch(/^log: \d{8} bytes of output were dropped\.$/)
    expect((await heard('prints', { text: 'next' })).lines).toEqual(['stdout: next'])
  })

  it('goes on to be told when a task has closed its output', async () => {
    expect((await heard('closes')).end).toMatchObject({ kind: 'succeeded' })
    const { end, lines } = await heard('order')
    expect(end).toMatchObject({ kind: 'succeeded' })
    expect(lines).toEqual(['stdout: one', 'stdout: two', 'stdout: three'])
  })
})

describe('logging', () => {
  it('is heard with its level', async () => {
    const { lines } = await heard('logs')
    expect(lines.filter((line) => line.startsWith('log')).slice(0, 3)).toEqual([
      'log: INFO root: root 1',
      'log: WARNING steps: careful',
      'log: ERROR steps: failed',
    ])
    expect(lines).toContain('log: ZeroDivisionError: division by zero')
    expect(lines.join('\n')).toContain('stderr: --- Logging error ---')
  })

  it('is left to the author where the author configures it', async () => {
    expect((await heard('configured')).lines).toEqual(['stderr: DEBUG~mine'])
  })
})

describe('tasks that allow threads', () => {
  it('run at once in one process, and what they print is told apart', async () => {
    const others = ['a', 'b', 'c']
    const attempts = others.map((name) =>
      bench.attempt(bench.task(file, 'in_threads', { threads: 3 }), {
        name,
        others,
        path: `${bench.folder}/there-`,
      }),
    )
    bench.executor.submit(attempts)
    // they wait for each other: one that fails is known before the others have waited in vain
    await Promise.all(
      attempts.map(async ({ id }) => expect(await bench.heard.end(id)).toMatchObject({ kind: 'succeeded' })),
    )
    for (const [at, name] of others.entries()) {
      const lines = Array.from({ length: 100 }, (_, n) => `${name} ${n}`)
      const id = attempts[at]?.id ?? ''
      expect(bench.heard.texts(id, 'stdout')).toEqual([...lines, `${name} end`])
      expect(bench.heard.texts(id, 'log')).toEqual([`INFO root: by ${name}`])
    }
  })
})

describe('a task in a thread', () => {
  it('may be profiled, whatever was in its thread before', async () => {
    const profiled = bench.task(file, 'profiled', { threads: 2 })
    const ends = [await bench.run(profiled), await bench.run(profiled)]
    expect(ends).toMatchObject([{ values: { '': true } }, { values: { '': true } }])
  })
})

describe('a task that begins while another imports logging', () => {
  it('neither fails by that nor keeps either from being heard', async () => {
    const quick = bench.task(bench.write('quick.py', quickSource), 'quick', { threads: 2 })
    const slow = bench.task(bench.write('slow.py', slowSource), 'slow', { threads: 2 })
    const path = `${bench.folder}/`
    // it is loaded, so that it need not wait until the other is
    expect(await bench.run(quick, { path, name: 'loaded' })).toMatchObject({ values: { '': false } })
    const importing = bench.attempt(slow)
    bench.executor.submit([importing])
    await bench.heard.until(() => bench.heard.texts(importing.id, 'stdout').includes('halfway'))
    expect(await bench.run(quick, { path, name: 'go' })).toMatchObject({ values: { '': true } })
    expect(await bench.heard.end(importing.id)).toMatchObject({ values: { '': 1 } })
    expect(bench.heard.texts(importing.id, 'log')).toEqual(['INFO root: at last'])
  })
})

const quickSource = `
import sys


def quick(path, name):
    there = "logging" in sys.modules
    with open(path + name, "w"):
        return there
`

/** stands still in the middle of the module's own code, where it has a root class and no root logger */
const slowSource = `
import os
import sys
import time

folder = os.path.dirname(__file__)
stood_still = []


def stand_still(frame, event, _):
    if event == "call" and frame.f_code.co_name == "Manager":
        stood_still.append(True)
        print("halfway")
        while not os.path.exists(folder + "/go"):
            time.sleep(0.005)


sys.setprofile(stand_still)
import logging
sys.setprofile(None)


def slow():
    logging.info("at last")
    return len(stood_still)
`

describe('what a task says', () => {
  it('by the module of convenience', async () => {
    expect(await heard('notes')).toMatchObject({
      heartbeats: 1,
      lines: [],
      notes: [
        { type: 'event', name: 'arrived', body: { cycle: '12' } },
        { type: 'metric', name: 'rmse', body: { value: 0.25, step: 4 } },
        { type: 'artifact', name: 'report', body: { kind: 'markdown', text: '# Fine' } },
        { type: 'progress', name: '', body: { done: 3, total: 10 } },
      ],
    })
  })

  it('with numbers that are not finite', async () => {
    expect(await heard('not_finite')).toMatchObject({
      lines: [],
      notes: [
        { type: 'metric', name: 'loss', body: { value: Number.NaN, step: 4 } },
        { type: 'metric', name: 'gain', body: { value: Number.NEGATIVE_INFINITY } },
        {
          type: 'artifact',
          name: 'table',
          body: { kind: 'table', rows: [{ a: 1.5 }, { a: 'NaN' }, { a: 'Infinity' }] },
        },
        { type: 'event', name: 'ended', body: { loss: 'NaN', NaN: 'NaN' } },
      ],
    })
  })

  it('by lines in ALMANAC_EVENTS, its own and its children’s', async () => {
    expect((await heard('event_lines')).notes).toEqual([
      { type: 'event', name: 'e', body: { n: 1 } },
      {
        type: 'warning',
        name: 'events',
        body: { text: 'A line of ALMANAC_EVENTS was ignored, it is no JSON: {broken' },
      },
      { type: 'metric', name: 'm', body: { value: 2 } },
      { type: 'event', name: 'no end', body: {} },
    ])
  })
})
