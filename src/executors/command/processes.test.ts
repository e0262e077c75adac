import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Attempt } from '../../ports/executor.ts'
import { ExecutorBench, isAlive, killProcess } from '../../testing/executors/executor-bench.ts'
import type { HostedWork } from '../../testing/executors/executor-host.ts'
import type { Program } from '../../testing/executors/executor-rig.ts'
import { patience } from '../../testing/patience.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openCommandExecutor } from './executor.ts'

/** Processes that behave badly: nothing of them may be left, and nothing may hang. */

let bench: ExecutorBench
let folder = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'processes-'))
  bench = await ExecutorBench.openPlain(openCommandExecutor)
})

afterEach(async () => {
  await bench.close()
  rmSync(folder, { recursive: true })
})

const command = (...run: string[]): Program => ({
  task: taskSpec('cmd', { kind: 'command', run, exitCodes: { retry: [] } }),
  inputs: {},
})
const sh = (script: string): Program =>
  command('sh', '-c', script.replaceAll('{', '{{').replaceAll('}', '}}'))

/** Starts it and waits for its first line. */
async function start(
  program: Program,
  more: Partial<Attempt> = {},
): Promise<Attempt & { readonly said: string }> {
  const attempt = bench.attempt(program, more)
  bench.executor.submit([attempt])
  await bench.heard.until(() => bench.heard.texts(attempt.id).length > 0)
  return { ...attempt, said: bench.heard.texts(attempt.id)[0] ?? '' }
}

/** What Node is told to host an executor with these attempts under way. */
function hosting(attempts: readonly Attempt[]): string[] {
  const work: HostedWork = {
    module: fileURLToPath(new URL('./executor.ts', import.meta.url)),
    open: 'openCommandExecutor',
    options: {},
    attempts,
  }
  return [
    fileURLToPath(new URL('../../testing/executors/executor-host.ts', import.meta.url)),
    JSON.stringify(work),
  ]
}

describe('a process', () => {
  it('may close its streams and go on', async () => {
    const { id, scratch } = await start(
      sh('mkfifo go; echo here; exec >&- 2>&-; read -r code < go; exit $code'),
    )
    await bench.clock.settle()
    expect(bench.heard.of(id).end).toBeUndefined()
    writeFileSync(join(scratch, 'go'), '4\n')
    expect(await bench.heard.end(id)).toMatchObject({ kind: 'failed', error: { type: 'exit 4' } })
  })

  it('that is left in the background is killed when the command ends, also where it ignores all it can', async () => {
    const left = `(trap '' HUP INT TERM; echo up > ready; exec sleep 1000) &`
    const { id, said } = await start(sh(`mkfifo ready; ${left} read -r up < ready; echo $PPID; exit 0`))
    const members = (): string[] =>
      execFileSync('ps', ['-eo', 'pgid=,stat=,args='], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => new RegExp(`^ *${said} +[^Z]`).test(line))
    expect(await bench.heard.end(id)).toMatchObject({ kind: 'succeeded' })
    expect(members()).toEqual([])
  })

  it('that left the group does not keep the attempt from ending', async () => {
    const { id, said } = await start(
      sh("mkfifo up; setsid sh -c 'echo $$; : > up; exec sleep 1000' & read -r _ < up; exit 0"),
    )
    expect(await bench.heard.end(id)).toMatchObject({ kind: 'succeeded' })
    killProcess(Number(said))
  })

  const escapes = 'setsid sh -c \'trap "" HUP INT TERM; echo $$; exec sleep 1000\' & exec sleep 1000'

  it.skipIf(process.platform !== 'linux').each([0, 50])(
    'that left the group dies with the attempt that is cancelled (%i ms of grace)',
    async (graceMs) => {
      const { id, said } = await start(sh(escapes))
      expect(isAlive(Number(said))).toBe(true)
      bench.executor.cancel(id, graceMs)
      await bench.clock.advance(graceMs)
      expect(await bench.heard.end(id)).toEqual({ kind: 'cancelled' })
      expect(isAlive(Number(said))).toBe(false)
    },
  )

  it.skipIf(process.platform !== 'linux')('that left the group dies with the host', async () => {
    const path = join(folder, 'pid')
    const attempts = [
      bench.attempt(sh(escapes.replace('echo $$', `echo $$ > ${path}.part; mv ${path}.part ${path}`))),
    ]
    const child = spawn(process.execPath, hosting(attempts), { stdio: 'ignore' })
    await vi.waitUntil(() => existsSync(path), patience)
    const pid = Number(readFileSync(path, 'utf8'))
    child.kill('SIGKILL')
    await vi.waitUntil(() => !isAlive(pid), patience)
  })

  it('may signal its whole group without harm to what watches over it', async () => {
    const attempt = bench.attempt(
      sh("trap '' HUP INT TERM USR1; kill -TERM 0; kill -HUP 0; kill -INT 0; kill -USR1 0; exit 5"),
    )
    bench.executor.submit([attempt])
    expect(await bench.heard.end(attempt.id)).toMatchObject({ kind: 'failed', error: { type: 'exit 5' } })
  })

  it('may kill the shell above it: that ends the attempt, and it with it', async () => {
    const { id, said } = await start(sh('echo $$; kill -KILL $PPID; exec sleep 1000'))
    expect(await bench.heard.end(id)).toMatchObject({
      kind: 'failed',
      error: { code: 'ALM_TASK_SIGNAL', type: 'SIGKILL' },
    })
    expect(isAlive(Number(said))).toBe(false)
  })

  it('that stops itself is killed when its grace is over', async () => {
    const { id, said } = await start(sh('echo $$; kill -STOP $$'))
    bench.executor.cancel(id, 100)
    await bench.clock.advance(100)
    expect(await bench.heard.end(id)).toEqual({ kind: 'cancelled' })
    expect(isAlive(Number(said))).toBe(false)
  })

  it('that floods its output is cancelled like any other', async () => {
    const { id } = await start(command('yes'))
    bench.executor.cancel(id, 1000)
    expect(await bench.heard.end(id)).toEqual({ kind: 'cancelled' })
  })
})

describe('memory', () => {
  const holds = (mebibytes: number): Program =>
    command(
      process.execPath,
      '-e',
      `const b = Buffer.alloc(${mebibytes} * 2 ** 20, 1); console.log(b.length); process.stdin.on('end', () => 0); setInterval(() => b, 1e6)`,
    )

  it('over what is declared ends the attempt', async () => {
    const { id } = await start(holds(300), { memoryBytes: 200 * 2 ** 20 })
    await bench.clock.advance(1000)
    const end = await bench.heard.end(id)
    expect(end).toMatchObject({
      kind: 'failed',
      reason: 'memory',
      retryable: true,
      error: {
        code: 'ALM_TASK_MEMORY',
        message: expect.stringMatching(
          /^The attempt was ended for its memory: it used \d+(\.\d)? MiB, and 200 MiB are declared\.$/,
        ),
      },
    })
    expect(end.kind === 'failed' && (end.usage?.maxRssBytes ?? 0) > 300 * 2 ** 20).toBe(true)
  })

  it('within what is declared is only reported', async () => {
    const { id } = await start(holds(10), { memoryBytes: 2 ** 30 })
    await bench.clock.advance(60_000)
    await bench.clock.settle()
    expect(bench.heard.of(id).end).toBeUndefined()
    bench.executor.cancel(id, 0)
    expect(await bench.heard.end(id)).toEqual({ kind: 'cancelled' })
  })

  it('that processes share counts once', async () => {
    const script = [
      'import os, time',
      'data = bytearray(60 * 2**20)',
      'for i in range(0, len(data), 4096): data[i] = 1',
      'for _ in range(4):',
      '    if os.fork() == 0: time.sleep(1000)',
      'print("ready", flush=True)',
      'time.sleep(1000)',
    ].join('\n')
    // five processes of 60 MiB and a little each, 60 MiB and five times a little in all
    const { id } = await start(command('python3', '-c', script), { memoryBytes: 200 * 2 ** 20 })
    await bench.clock.advance(5000)
    await bench.clock.settle()
    expect(bench.heard.of(id).end).toBeUndefined()
    bench.executor.cancel(id, 0)
    await bench.heard.end(id)
  })
})

describe('a machine without room for another process', () => {
  it('lets attempts wait until others have ended', async () => {
    const program = sh(`sleep 0.05; echo x > ${folder}/$ALMANAC_CALL`)
    const attempts = Array.from({ length: 60 }, () => bench.attempt(program))
    const limited = ['-c', 'ulimit -n 60; exec "$@"', 'sh', process.execPath, ...hosting(attempts)]
    const child = spawn('sh', limited, { stdio: ['ignore', 'ignore', 'pipe'] })
    const ends: string[] = []
    createInterface({ input: child.stderr }).on('line', (line) => ends.push(line))
    await vi.waitUntil(() => ends.length >= attempts.length, patience)
    child.kill('SIGKILL')
    expect(ends.filter((end) => !end.includes('"kind":"succeeded"'))).toEqual([])
    expect(readdirSync(folder)).toHaveLength(60)
  })
})
