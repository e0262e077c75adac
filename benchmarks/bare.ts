import { type ChildProcess, spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { BareJournal } from './bare-journal.ts'

/**
 * What tasks that do nothing take where nothing is built around them: each has a key, its row is synced to disk in groups by
 * another thread, Python is reached through pipes. No states, no replay, no retries, no logs: what it takes, a machine
 * of this kind takes at least, so figures of `tasks.ts` on two machines can be compared as multiples of it.
 *
 *     node benchmarks/bare.ts inline|chain|python|relay COUNT
 *
 * `relay`: a workflow in Python, this process, and a worker in Python, one line each way for each step. Prints
 * `{ "ms": …, "cpuMs": … }`, as `tasks.ts`.
 */

const noop = (n: number): number => n
const equals = new Map<string, number>()

/** The same function with the same argument, for the how manyeth time: as text, and as the key of that. */
function callOf(n: number): { readonly key: string; readonly args: string } {
  const args = `[${n}]`
  const text = `noop ${args}`
  const count = equals.get(text) ?? 0
  equals.set(text, count + 1)
  return { key: hash('sha256', `${text} ${count}`), args }
}

const shapes = {
  async inline(journal: BareJournal, count: number) {
    for (let n = 0; n < count; n++) {
      const { key, args } = callOf(n)
      if (journal.add(n, key, args, String(noop(n)))) await journal.room()
    }
  },

  async chain(journal: BareJournal, count: number) {
    let last = 0
    for (let n = 0; n < count; n++) {
      const { key, args } = callOf(last)
      last = await Promise.resolve(last).then(noop)
      if (journal.add(n, key, args, String(last))) await journal.room()
    }
  },

  async python(journal: BareJournal, count: number) {
    let made = 0
    await Promise.all(
      [0, 1].map(async () => {
        const worker = new Lines('worker')
        for (let first = made; first < count; first = made) {
          made = Math.min(count, first + 256)
          const calls = Array.from({ length: made - first }, (_, at) => callOf(first + at))
          const values = JSON.parse(await worker.ask(`[${calls.map(({ args }) => args).join()}]`)) as number[]
          for (const [at, { key, args }] of calls.entries())
            if (journal.add(first + at, key, args, String(values[at]))) await journal.room()
        }
        worker.end()
      }),
    )
  },

  async relay(journal: BareJournal, count: number) {
    const worker = new Lines('worker')
    const workflow = new Lines('workflow')
    let asked = await workflow.ask(String(count))
    for (let n = 0; n < count; n++) {
      const { key, args } = callOf(n)
      const value = await worker.ask(asked)
      if (journal.add(n, key, args, value)) await journal.room()
      asked = await workflow.ask(value)
    }
    worker.end()
    workflow.end()
  },
}

/** A process in Python that answers each line with a line. */
class Lines {
  readonly #child: ChildProcess
  #heard: (line: string) => void = () => undefined

  constructor(role: 'worker' | 'workflow') {
    this.#child = spawn('python3', [join(import.meta.dirname, 'bare.py'), role], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    if (this.#child.stdout !== null)
      createInterface(this.#child.stdout).on('line', (line) => this.#heard(line))
  }

  ask(line: string): Promise<string> {
    return new Promise((resolve) => {
      this.#heard = resolve
      this.#child.stdin?.write(`${line}\n`)
    })
  }

  end(): void {
    this.#child.stdin?.end()
  }
}

const [shape, count] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'almanac-bare-'))
const journal = new BareJournal(join(folder, 'journal.db'))
try {
  const chosen = shapes[shape as keyof typeof shapes]
  await chosen(journal, 200)
  await journal.synced()
  const cpu = process.cpuUsage()
  const began = performance.now()
  await chosen(journal, Number(count))
  await journal.synced()
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000 }))
} finally {
  await journal.close()
  rmSync(folder, { recursive: true })
}
