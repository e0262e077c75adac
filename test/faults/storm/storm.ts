import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { command, dir, file, json, python, type TaskContext, task, workflow } from 'almanac'

/**
 * The workflow that is killed: waves of tasks of every kind, files between them, and a map over a directory beside
 * them. Each task says in the file `log` that it was executed. A gate at the end of each wave lets through as many waves as
 * the file `gates` says: so no life of the run gets far, however fast the machine is.
 */
const log = (what: string): void => appendFileSync('log', `${what}\n`)

export const square = task('square', (label: string, n: number) => {
  log(label)
  return n * n
})

export const flaky = task(
  'flaky',
  { retries: { count: 3, delay: 1, jitter: 0 } },
  (label: string, n: number, { attempt }: TaskContext) => {
    log(`${label} ${attempt}`)
    if (attempt === 1) throw new Error('not yet')
    return n
  },
)

export const write = task(
  'write',
  { output: { text: file('text.txt') } },
  (label: string, n: number, { out }: TaskContext) => {
    log(label)
    writeFileSync(out['text'] as string, `text ${n}\n`.repeat(n % 7))
  },
)

export const shout = command.task({
  name: 'shout',
  run: [
    'sh',
    '-c',
    'echo "$1" >>"$2/log"; tr a-z A-Z <"$3" >"$4"',
    'shout',
    '{params.label}',
    '{params.folder}',
    '{in.text}',
    '{out.loud}',
  ],
  input: { label: json<string>(), folder: json<string>(), text: file() },
  output: { loud: file('loud.txt') },
})

export const halve = python.task({
  run: 'steps.py:halve',
  input: { label: json<string>(), folder: json<string>(), n: json<number>() },
  output: { half: json<number>() },
})

export const count = python.task({
  run: 'steps.py:count',
  input: { label: json<string>(), folder: json<string>(), text: file() },
  output: { letters: json<number>(), copy: file('copy.txt') },
})

export const publish = task(
  'publish',
  { effect: true },
  (label: string, sum: number, { idempotencyKey }: TaskContext) => {
    log(label)
    appendFileSync('published', `${label} ${sum} ${idempotencyKey}\n`)
  },
)

export const measure = task(
  'measure',
  { priority: -1, output: { size: json<number>(), copy: file('copy.txt') } },
  (text: { at: string; name: string }, { out }: TaskContext) => {
    log(`measure ${text.name}`)
    const content = readFileSync(text.at, 'utf8')
    writeFileSync(out['copy'] as string, content.toUpperCase())
    return content.length
  },
)

export const gate = task('gate', async (wave: number, _sum: number): Promise<number> => {
  if (wave >= Number(readFileSync('gates', 'utf8'))) {
    log('closed')
    await new Promise(() => setInterval(() => undefined, 60_000))
  }
  log(`gate ${wave}`)
  return wave
})

export const add = task('add', (label: string, numbers: number[]) => {
  log(label)
  return numbers.reduce((sum, n) => sum + n, 0)
})

export default workflow(
  'storm',
  { input: { texts: dir(), waves: json<number>() } },
  async ({ texts, waves }) => {
    const folder = process.cwd()
    const measured = measure.map(texts)
    let sum = 0
    let last: unknown
    for (let wave = 0; wave < waves; wave++) {
      const label = (name: string): string => `${name} ${wave}`
      const squares = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => square(label(`square${i}`), sum + i))
      const tried = flaky(label('flaky'), wave)
      const { text } = write(label('write'), wave)
      const { loud } = shout({ label: label('shout'), folder, text })
      const { letters, copy } = count({ label: label('count'), folder, text: loud })
      const { half } = halve({ label: label('halve'), folder, n: wave })
      const total = add(label('add'), [...squares, tried, letters, half])
      if (wave % 10 === 0) void publish(label('publish'), total)
      sum = (await total) % 1009
      await gate(wave, sum)
      last = copy
    }
    const sizes = await measured.size.all()
    return { sum, total: add('sizes', sizes), last, copies: measured.copy }
  },
)
