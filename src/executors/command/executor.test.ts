import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileRef } from '../../model/refs.ts'
import type { TaskBody } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { Attempt, AttemptEnd } from '../../ports/executor.ts'
import { ExecutorBench } from '../../testing/executors/executor-bench.ts'
import type { Program } from '../../testing/executors/executor-rig.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openCommandExecutor } from './executor.ts'

const environment = { PATH: process.env['PATH'] ?? '', HOME: '/home/almanac', LANG: 'C.UTF-8' }
let bench: ExecutorBench

beforeEach(async () => {
  bench = await ExecutorBench.openPlain((options, listener) =>
    openCommandExecutor({ ...options, environment }, listener),
  )
})

afterEach(() => bench.close())

const command = (
  run: readonly string[],
  inputs: Record<string, Value> = {},
  body: Partial<TaskBody> = {},
): Program => ({
  task: taskSpec('cmd', { kind: 'command', run, exitCodes: { retry: [] }, ...body } as TaskBody, {
    definedAt: { file: '/p/flow.ts', line: 7 },
  }),
  inputs,
})
const sh = (script: string, inputs: Record<string, Value> = {}, body: Partial<TaskBody> = {}): Program =>
  command(['sh', '-c', script.replaceAll('{', '{{').replaceAll('}', '}}')], inputs, body)

/** Runs it and gives its end with the text of its output. */
async function run(
  program: Program,
  more: Partial<Attempt> = {},
): Promise<{ end: AttemptEnd; out: string[]; err: string[]; log: string[] }> {
  const attempt = bench.attempt(program, more)
  bench.executor.submit([attempt])
  const end = await bench.heard.end(attempt.id)
  const [out, err, log] = (['stdout', 'stderr', 'log'] as const).map((stream) =>
    bench.heard.texts(attempt.id, stream),
  )
  return { end, out: out ?? [], err: err ?? [], log: log ?? [] }
}

const succeeded = (value?: Value): unknown => ({
  kind: 'succeeded',
  values: { '': value },
  usage: { cpuMs: expect.any(Number) },
})

describe('what a command gets', () => {
  it('is its words, each one argument, whatever is in it', async () => {
    const words = ['a b', '', '$HOME', '*', '"\'\\', 'ü🌍', '-n', '{params.x}']
    const { end, out } = await run(
      command(['sh', '-c', 'for a; do echo "<$a>"; done', 'sh', ...words], { x: 'two\nlines; rm' }),
    )
    expect(end).toEqual(succeeded())
    expect(out).toEqual(['<a b>', '<>', '<$HOME>', '<*>', '<"\'\\>', '<ü🌍>', '<-n>', '<two', 'lines; rm>'])
  })

  it('is an empty standard input and its scratch directory to work in', async () => {
    const attempt = bench.attempt(sh('cat; pwd'))
    bench.executor.submit([attempt])
    expect(await bench.heard.end(attempt.id)).toEqual(succeeded())
    expect(bench.heard.texts(attempt.id)).toEqual([attempt.scratch])
  })

  it('is another directory to work in where the task says so', async () => {
    const { out } = await run(sh('pwd', {}, { cwd: '/usr' }))
    expect(out).toEqual(['/usr'])
  })

  it('is a clean environment with what is declared, and its own', async () => {
    process.env['UNDECLARED'] = 'secret'
    const scene = new FileRef('s', 'a'.repeat(64), 1, false, '/in/scene.nc')
    const attempt = bench.attempt(command(['env'], { scene, 'b-1': scene, n: 3 }), {
      env: { TOKEN: 'a b', TMPDIR: '/elsewhere' },
      outputs: { 'cog.tif': '/out/cog' },
    })
    bench.executor.submit([attempt])
    await bench.heard.end(attempt.id)
    delete process.env['UNDECLARED']
    const env = Object.fromEntries(bench.heard.texts(attempt.id).map((line) => line.split(/=(.*)/s, 2)))
    // a shell's own, depending on which one is sh
    for (const name of ['PWD', 'OLDPWD', 'SHLVL', '_']) delete env[name]
    expect(env).toEqual({
      ...environment,
      ALMANAC_PROGRAM: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      TOKEN: 'a b',
      TMPDIR: '/elsewhere',
      ALMANAC_IN_scene: '/in/scene.nc',
      ALMANAC_IN_b_1: '/in/scene.nc',
      ALMANAC_OUT_cog_tif: '/out/cog',
      ALMANAC_PARAMS: join(attempt.scratch, '.almanac-params.json'),
      ALMANAC_RESULT: join(attempt.scratch, '.almanac-result.json'),
      ALMANAC_EVENTS: join(attempt.scratch, '.almanac-events.jsonl'),
      ALMANAC_RUN: 'r1',
      ALMANAC_CALL: '1',
      ALMANAC_ATTEMPT: '1',
      ALMANAC_IDEMPOTENCY_KEY: 'once-1',
      ALMANAC_LOGICAL_TIME: '2026-01-02T00:00:00.000Z',
    })
  })

  it('is a file of its inputs, files by their paths', async () => {
    const scene = new FileRef('s', 'a'.repeat(64), 1, false, '/in/scene.nc')
    const inputs = {
      scene,
      n: 3,
      when: new Date(0),
      list: [{ deep: scene }, null],
      bytes: Uint8Array.of(1, 2),
      none: undefined,
    }
    const { out } = await run(sh('cat "$ALMANAC_PARAMS"', inputs))
    expect(JSON.parse(out.join(''))).toEqual({
      scene: '/in/scene.nc',
      n: 3,
      when: '1970-01-01T00:00:00.000Z',
      list: [{ deep: '/in/scene.nc' }, null],
      bytes: 'AQI=',
    })
  })

  it('are default signals: what the host ignores is not ignored', async () => {
    expect((await run(sh('kill -INT $$; echo still here'))).end).toMatchObject({
      kind: 'failed',
      error: { type: 'SIGINT' },
    })
    expect((await run(sh('kill -PIPE $$; echo still here'))).end).toMatchObject({
      kind: 'failed',
      error: { type: 'SIGPIPE' },
    })
  })
})

describe('what a command gives', () => {
  it('is the JSON at ALMANAC_RESULT', async () => {
    expect((await run(sh('echo \'{"n": [1, 2.5, "x"]}\' > "$ALMANAC_RESULT"'))).end).toEqual(
      succeeded({ n: [1, 2.5, 'x'] }),
    )
    const outputs = { n: 'value', cog: 'file' } as const
    const program = sh('echo \'{"n": 3}\' > "$ALMANAC_RESULT"')
    const named = { ...program, task: { ...program.task, outputs } }
    expect((await run(named)).end).toMatchObject({ kind: 'succeeded', values: { n: 3 } })
  })

  it.each([
    ['no JSON', 'echo "{oops" > "$ALMANAC_RESULT"', 'ALMANAC_RESULT is no JSON'],
    ['a number that JSON does not have', 'echo NaN > "$ALMANAC_RESULT"', 'ALMANAC_RESULT is no JSON'],
    ['a pipe', 'mkfifo "$ALMANAC_RESULT"', 'ALMANAC_RESULT is no file'],
    ['a directory', 'mkdir "$ALMANAC_RESULT"', 'ALMANAC_RESULT is no file'],
    ['a link elsewhere', 'ln -s /etc/hostname "$ALMANAC_RESULT"', 'ALMANAC_RESULT cannot be read: ELOOP'],
  ])('is refused where it is %s', async (_, script, why) => {
    expect((await run(sh(script))).end).toMatchObject({
      kind: 'failed',
      reason: 'outputs',
      error: { code: 'ALM_RESULT_REFUSED', message: expect.stringContaining(why) },
    })
  })

  it('is refused where it is too large, without being read', async () => {
    expect((await run(sh('truncate -s 1T "$ALMANAC_RESULT"'))).end).toMatchObject({
      kind: 'failed',
      reason: 'outputs',
      error: {
        code: 'ALM_OUTPUT_LIMIT',
        message: 'The attempt wrote more than 16 MiB of result (ALMANAC_RESULT).',
      },
    })
  })

  it('is its output, line by line, in whatever pieces it comes', async () => {
    const script = `printf 'a\\303'; printf '\\274b\\r\\nprogress 1\\rprogress 2\\n'; printf 'no end'; printf 'e1\\n\\377\\n' >&2`
    const { out, err } = await run(sh(script))
    expect(out).toEqual(['aüb', 'progress 1', 'progress 2', 'no end'])
    expect(err).toEqual(['e1', '\ufffd'])
  })

  it('is all of its output, however much is still in the pipe when it ends', async () => {
    const { out } = await run(sh('i=0; while [ $i -lt 6000 ]; do echo "line $i"; i=$((i+1)); done'))
    expect(out).toEqual(Array.from({ length: 6000 }, (_, i) => `line ${i}`))
  })

  it('is its CPU time, that of its children included', async () => {
    const spin = 'while (process.cpuUsage().user < 150000);'
    const { end } = await run(sh(`"${process.execPath}" -e '${spin}'`))
    expect(end).toMatchObject({ kind: 'succeeded', usage: { cpuMs: expect.any(Number) } })
    expect(end.kind === 'succeeded' && (end.usage?.cpuMs ?? 0) >= 150).toBe(true)
  })
})

describe('a command that fails', () => {
  it('says with which exit code, and what it said last', async () => {
    const { end, err } = await run(sh('echo one >&2; echo two >&2; exit 3'))
    expect(err).toEqual(['one', 'two'])
    expect(end).toEqual({
      kind: 'failed',
      reason: 'error',
      error: {
        code: 'ALM_TASK_EXIT',
        message: 'sh ended with exit code 3.',
        hint: 'Read its log: almanac logs RUN TASK.',
        type: 'exit 3',
        file: '/p/flow.ts',
        line: 7,
        stack: 'one\ntwo',
      },
      retryable: true,
      usage: { cpuMs: expect.any(Number) },
    })
  })

  it('says what it said last even where the log is full', async () => {
    await bench.close()
    bench = await ExecutorBench.openPlain(openCommandExecutor, { logBytes: 1000 })
    const { end, err } = await run(
      sh('i=0; while [ $i -lt 999 ]; do echo "line $i" >&2; i=$((i+1)); done; echo why >&2; exit 1'),
    )
    expect(err.length).toBeLessThan(150)
    expect(end).toMatchObject({ error: { stack: expect.stringMatching(/line 997\nline 998\nwhy$/) } })
  })

  it('is tried again only for the declared codes, where there are some', async () => {
    const body = { exitCodes: { retry: [75, 137] } }
    expect((await run(sh('exit 75', {}, body))).end).toMatchObject({ kind: 'failed', retryable: true })
    expect((await run(sh('exit 1', {}, body))).end).toMatchObject({ kind: 'failed', retryable: false })
    expect((await run(sh('kill -KILL $$', {}, body))).end).toMatchObject({ kind: 'failed', retryable: true })
    expect((await run(sh('kill -TERM $$', {}, body))).end).toMatchObject({ kind: 'failed', retryable: false })
  })

  it.each([
    ['kill -KILL $$', 'SIGKILL'],
    ['kill -SEGV $$', 'SIGSEGV'],
    ['exit 137', 'SIGKILL'],
    ['exit 143', 'SIGTERM'],
  ])('by a signal says by which: %s', async (script, signal) => {
    const { end } = await run(sh(script))
    expect(end).toMatchObject({
      kind: 'failed',
      reason: 'error',
      error: { code: 'ALM_TASK_SIGNAL', type: signal, message: `sh was ended by ${signal}.` },
    })
  })

  it.each([200, 255, 127, 126])('keeps its own exit code %i', async (code) => {
    expect((await run(sh(`exit ${code}`))).end).toMatchObject({
      error: { code: 'ALM_TASK_EXIT', type: `exit ${code}` },
    })
  })

  it.each([
    [command(['no-such-tool-7']), 'ALM_TASK_NOT_FOUND', 'no-such-tool-7 was not found: it is not on PATH'],
    [command(['./tool']), 'ALM_TASK_NOT_FOUND', './tool was not found: there is no such file'],
    [command([]), 'ALM_TASK_NOT_FOUND', ' was not found: its name is empty'],
    [
      sh('pwd', {}, { cwd: '/no/such' }),
      'ALM_TASK_NOT_FOUND',
      'The directory /no/such was not found: there is none to run in',
    ],
    [command(['echo', '{in.x}']), 'ALM_OPTION_REFUSED', expect.stringContaining('{in.x} is not known')],
    [command(['echo', 'a\0b']), 'ALM_VALUE_REFUSED', expect.stringContaining('null bytes')],
    [
      command(['echo', 'x'.repeat(200_000)]),
      'ALM_VALUE_REFUSED',
      expect.stringContaining('longer than the system allows'),
    ],
  ])('before it could start is not tried again (%#)', async (program, code, message) => {
    const { end } = await run(program)
    expect(end).toMatchObject({
      kind: 'failed',
      reason: 'error',
      retryable: false,
      error: { code, message, file: '/p/flow.ts' },
    })
  })

  it('because its scratch directory is gone says so', async () => {
    const { end } = await run(sh('true'), { scratch: '/no/such/scratch' })
    expect(end).toMatchObject({ kind: 'failed', error: { code: 'ALM_STORE_FAILED' }, retryable: true })
  })
})
