import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { killProcess } from '../../testing/executors/executor-bench.ts'
import type { ContainerEngine } from './engine.ts'
import { requestStop } from './stop-request.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'docker-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** A program that gives these answers, one after the other; what it is asked is written down. */
function engine(...answers: readonly string[]): ContainerEngine {
  const path = join(folder, 'docker')
  const cases = answers.map((answer, i) => `${i + 1}) ${answer} ;;\n`).join('')
  const count = `echo "$*" >> ${folder}/asked\ncase $(wc -l < ${folder}/asked) in\n`
  writeFileSync(path, `#!/bin/sh\n${count}${cases}esac\n`)
  chmodSync(path, 0o755)
  return { words: [path], name: 'docker', kind: 'docker', rootless: false, selinux: false, init: true }
}

const asked = (): string[] =>
  readFileSync(join(folder, 'asked'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((words) => words.split(' ')[0] ?? '')

it.skipIf(process.platform !== 'linux')(
  'a container hears it when it has begun its program, and once',
  async () => {
    const absent = 'echo "Error: No such object: one" >&2; exit 1'
    const idle = 'echo "Error: container one is not running" >&2; exit 1'
    const go = join(folder, 'go')
    const first = spawn('/bin/sh', ['-c', `while [ ! -e ${go} ]; do :; done; sleep 1000; :`])
    const { pid = 0 } = first
    const began = `: > ${go}; until grep -q . /proc/${pid}/task/${pid}/children; do :; done; echo ${pid}`
    const docker = engine(absent, 'echo 0', `echo ${pid}`, began, idle, `echo ${pid}`, 'echo one')
    await requestStop(docker, { name: 'one', init: true, over: () => false })
    expect(asked()).toEqual(['inspect', 'inspect', 'inspect', 'inspect', 'kill', 'inspect', 'kill'])
    killProcess(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')))
  },
)

it('one that has ended is not asked any more', async () => {
  let looks = 0
  await requestStop(engine('exit 1', 'exit 1'), { name: 'one', init: true, over: () => ++looks > 2 })
  expect(asked()).toEqual(['inspect', 'inspect'])
})
