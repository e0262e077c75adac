import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ScriptLanguage } from '../../model/task.ts'
import type { Value } from '../../model/value.ts'
import type { AttemptEnd } from '../../ports/executor.ts'
import { ExecutorBench } from '../../testing/executors/executor-bench.ts'
import { taskSpec } from '../../testing/task-spec.ts'
import { openScriptExecutor } from './executor.ts'

const environment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8' }
let bench: ExecutorBench

beforeEach(async () => {
  bench = await ExecutorBench.openPlain((options, listener) =>
    openScriptExecutor({ ...options, environment }, listener),
  )
})

afterEach(() => bench.close())

async function run(
  lang: ScriptLanguage,
  source: string,
  inputs: Record<string, Value> = {},
): Promise<{ end: AttemptEnd; texts: string[]; scratch: string }> {
  const task = taskSpec('script', { kind: 'script', lang, source, exitCodes: { retry: [] } })
  const attempt = bench.attempt({ task, inputs })
  bench.executor.submit([attempt])
  const end = await bench.heard.end(attempt.id)
  return { end, texts: bench.heard.texts(attempt.id), scratch: attempt.scratch }
}

describe('a script', () => {
  it.each([
    ['sh', 'n=$(tr -dc 0-9 < "$ALMANAC_PARAMS"); echo "$n" > "$ALMANAC_RESULT"; echo said; pwd'],
    [
      'bash',
      'a=(1 2); [[ $a == 1 ]] && cat "$ALMANAC_PARAMS" | tr -dc 0-9 > "$ALMANAC_RESULT"; echo said; pwd',
    ],
    [
      'python',
      'import json, os\nn = json.load(open(os.environ["ALMANAC_PARAMS"]))["n"]\njson.dump(n, open(os.environ["ALMANAC_RESULT"], "w"))\nprint("said")\nprint(os.getcwd())',
    ],
    [
      'node',
      'import { readFileSync, writeFileSync } from "node:fs"\nconst { n } = JSON.parse(readFileSync(process.env.ALMANAC_PARAMS))\nwriteFileSync(process.env.ALMANAC_RESULT, String(n))\nconsole.log("said")\nconsole.log(process.cwd())',
    ],
    [
      'node',
      'const fs = require("node:fs")\nfs.writeFileSync(process.env.ALMANAC_RESULT, String(JSON.parse(fs.readFileSync(process.env.ALMANAC_PARAMS)).n))\nconsole.log("said")\nconsole.log(process.cwd())',
    ],
  ] as const)('in %s reads its parameters, says something and gives a value (%#)', async (lang, source) => {
    const { end, texts, scratch } = await run(lang, source, { n: 42 })
    expect(end).toMatchObject({ kind: 'succeeded', values: { '': 42 } })
    expect(texts).toEqual(['said', scratch])
  })

  it('that fails says where, in the words of its language', async () => {
    const { end } = await run('python', 'def f():\n    raise ValueError("no data")\n\nf()\n')
    expect(end).toMatchObject({
      kind: 'failed',
      error: {
        code: 'ALM_TASK_EXIT',
        message: 'python3 ended with exit code 1.',
        stack: expect.stringMatching(/script\.py", line 2, in f[\s\S]*ValueError: no data$/),
      },
    })
  })

  it('may hold anything: nothing of it is a template', async () => {
    const { texts } = await run('sh', 'echo \'{in.x} {{\' "$(printf %s ü)"')
    expect(texts).toEqual(['{in.x} {{ ü'])
  })

  it('whose interpreter is not there is not tried again', async () => {
    await bench.close()
    const nothing = { ...environment, PATH: '/no/such/folder' }
    bench = await ExecutorBench.openPlain((options, listener) =>
      openScriptExecutor({ ...options, environment: nothing }, listener),
    )
    for (const lang of ['Rscript', 'python', 'bash'] as const) {
      expect((await run(lang, '')).end).toMatchObject({
        kind: 'failed',
        reason: 'error',
        retryable: false,
        error: { code: 'ALM_TASK_NOT_FOUND', message: expect.stringContaining('it is not on PATH') },
      })
    }
    expect((await run('node', 'console.log(1)')).texts).toEqual(['1'])
  })

  it('finds R by its name on PATH', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bin-'))
    writeFileSync(join(folder, 'Rscript'), '#!/bin/sh\necho "$1"; cat "$2"\n', { mode: 0o755 })
    await bench.close()
    const withR = { ...environment, PATH: `${folder}:${environment.PATH}` }
    bench = await ExecutorBench.openPlain((options, listener) =>
      openScriptExecutor({ ...options, environment: withR }, listener),
    )
    expect((await run('Rscript', 'cat(1)')).texts).toEqual(['--vanilla', 'cat(1)'])
    rmSync(folder, { recursive: true })
  })
})
