import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { root } from '../source-files.ts'
import type { Counts } from './counts.ts'
import { fromSentence, fromUnittest, fromVitest, settled } from './counts.ts'
import type { Step } from './steps.ts'

/**
 * Runs steps side by side, as many as there are cores, and says of each its name and time as it ends; what a step
 * that failed has printed follows. The last line sums up: `N passed, N failed`.
 */
export async function runSteps(steps: readonly Step[], print: Print = console.log): Promise<boolean> {
  const startedAt = performance.now()
  const results = await new Runner(steps, print).run()
  const sum = (kind: keyof Counts): number => results.reduce((total, one) => total + one.counts[kind], 0)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const failed = results.filter((one) => !one.ok).map((one) => one.step.name)
  print(`\n${steps.length} steps in ${seconds} s${failed.length > 0 ? `; failed: ${failed.join(', ')}` : ''}`)
  if (sum('skipped') > 0) print(`${sum('skipped')} skipped`)
  print(`${sum('passed')} passed, ${sum('failed')} failed`)
  return failed.length === 0
}

type Print = (line: string) => void

interface Result {
  readonly step: Step
  readonly ok: boolean
  readonly counts: Counts
}

/** Owns which steps wait, run and have ended. */
class Runner {
  readonly #print: Print
  readonly #waiting: Step[]
  readonly #running = new Map<Step, Promise<void>>()
  readonly #results: Result[] = []
  readonly #slots = Math.max(2, availableParallelism())

  constructor(steps: readonly Step[], print: Print) {
    this.#print = print
    this.#waiting = [...steps]
  }

  async run(): Promise<readonly Result[]> {
    while (this.#waiting.length + this.#running.size > 0) {
      for (let next = this.#next(); next !== undefined; next = this.#next()) this.#start(next)
      await Promise.race(this.#running.values())
    }
    return this.#results
  }

  #next(): Step | undefined {
    if (this.#running.size >= this.#slots) return undefined
    const index = this.#waiting.findIndex((step) => this.#mayStart(step))
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0]
  }

  #mayStart(step: Step): boolean {
    const others = [...this.#running.keys(), ...this.#waiting]
    if (step.last === true && others.some((one) => one.last !== true)) return false
    return (step.after ?? []).every((name) => !this.#open(name))
  }

  #open(name: string): boolean {
    return [...this.#running.keys(), ...this.#waiting].some((step) => step.name === name)
  }

  #start(step: Step): void {
    const broken = step.after?.find((name) => this.#results.some((one) => one.step.name === name && !one.ok))
    const done =
      broken === undefined ? execute(step, this.#print) : Promise.resolve(refused(step, broken, this.#print))
    this.#running.set(
      step,
      done.then((result) => {
        this.#running.delete(step)
        this.#results.push(result)
      }),
    )
  }
}

function refused(step: Step, broken: string, print: Print): Result {
  print(`${step.name.padEnd(14)}not run, because ${broken} failed`)
  return { step, ok: false, counts: { passed: 0, failed: 1, skipped: 0 } }
}

async function execute(step: Step, print: Print): Promise<Result> {
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'almanac-step-'))
  const report = join(folder, 'report.json')
  try {
    const ended = await program(step, report)
    const counts = settled(countsOf(step, ended.ok, ended.output, report), ended.ok)
    const ok = counts.failed === 0
    const output = ended.ok && !ok ? `${ended.output}\nno test was run` : ended.output
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)
    const detail = step.counts === undefined ? '' : `  ${counts.passed} passed, ${counts.failed} failed`
    print(`${step.name.padEnd(14)}${ok ? 'ok    ' : 'FAILED'}${seconds} s${detail}`)
    if (!ok) print(excerpt(output.trimEnd()).replaceAll(/^/gm, '    '))
    return { step, ok, counts }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The beginning and the end of what is long: the first fault, and what sums up. */
function excerpt(text: string): string {
  const lines = text.split('\n')
  if (lines.length <= 300) return text
  return [...lines.slice(0, 150), `… ${lines.length - 300} lines …`, ...lines.slice(-150)].join('\n')
}

function countsOf(step: Step, ok: boolean, output: string, report: string): Counts {
  if (step.counts === 'vitest' && existsSync(report)) return fromVitest(readFileSync(report, 'utf8'))
  if (step.counts === 'unittest') return fromUnittest(output)
  if (step.counts === 'passed-failed') return fromSentence(output)
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }
}

function program(step: Step, report: string): Promise<{ readonly ok: boolean; readonly output: string }> {
  const patient = step.patient === true ? ['nice', '-n', '19'] : []
  const [file, ...args] = [...patient, ...step.command].map((part) => part.replace('{report}', report))
  const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`
  const env = { ...process.env, PATH: path, ...step.env }
  return new Promise((resolve) => {
    const child = spawn(file as string, args, {
      cwd: step.cwd ?? root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', (error) => resolve({ ok: false, output: `${output}${error.message}` }))
    child.on('close', (code, signal) =>
      resolve({ ok: code === 0, output: signal === null ? output : `${output}\nended by ${signal}` }),
    )
  })
}
