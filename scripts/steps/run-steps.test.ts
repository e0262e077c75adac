import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runSteps } from './run-steps.ts'
import type { Step } from './steps.ts'

let folder: string
let printed: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'almanac-steps-'))
  printed = []
})

afterEach(() => rmSync(folder, { recursive: true }))

const shell = (name: string, script: string, more: Partial<Step> = {}): Step => ({
  name,
  command: ['sh', '-c', script],
  cwd: folder,
  ...more,
})

const print = (line: string): void => void printed.push(line)

const log = (): string[] => readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')

/** Lines with times taken out. */
const said = (): string[] =>
  printed
    .join('\n')
    .replaceAll(/ +\d+\.\d s/g, ' T')
    .split('\n')

test('a step waits for those it comes after, and those that are to be last for all others', async () => {
  const ok = await runSteps(
    [
      shell('last', 'echo last >> log', { last: true }),
      shell('very last', 'nice >> log', { last: true, patient: true, after: ['last'] }),
      shell('second', 'echo second >> log', { after: ['first'] }),
      shell('first', 'echo first >> log'),
    ],
    print,
  )
  expect({ ok, log: log() }).toEqual({ ok: true, log: ['first', 'second', 'last', '19'] })
  expect(said().at(-1)).toBe('4 passed, 0 failed')
})

test('what a failed step printed is shown, and what comes after it is not run', async () => {
  const ok = await runSteps(
    [
      shell('first', 'echo out; echo err >&2; exit 3'),
      shell('second', 'echo second >> log', { after: ['first'] }),
    ],
    print,
  )
  expect(ok).toBe(false)
  expect(said()).toEqual([
    'first         FAILED T',
    '    out',
    '    err',
    'second        not run, because first failed',
    '',
    '2 steps in T; failed: first, second',
    '0 passed, 2 failed',
  ])
})

test('tests are counted where a step has any', async () => {
  await runSteps(
    [
      shell('examples', 'echo examples: 4 passed, 0 failed', { counts: 'passed-failed' }),
      shell('python', 'echo "Ran 3 tests in 0.1s"; echo; echo "FAILED (failures=1)"; exit 1', {
        counts: 'unittest',
      }),
    ],
    print,
  )
  expect(said().at(-1)).toBe('6 passed, 1 failed')
})

test('a program that is not there is a failed step', async () => {
  const ok = await runSteps([{ name: 'gone', command: [join(folder, 'gone')] }], print)
  expect({ ok, last: said().at(-1) }).toEqual({ ok: false, last: '0 passed, 1 failed' })
})
