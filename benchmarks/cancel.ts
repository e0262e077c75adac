import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openSqliteJournal } from '../src/journal/sqlite/open.ts'

/**
 * How long the cancellation of a run of very many tasks takes, from the command to the end of its process.
 */
const help = `node benchmarks/cancel.ts [--calls 128000] [--by command|signal] [--after 2]

Starts a run of so many tasks (each waits 20 ms, 16 at once), cancels it after so many seconds, by
\`almanac cancel\` or by SIGINT as Ctrl-C sends it, and prints
{ "lastStartMs", "recordedMs", "exitMs", "cpuMs", "commandMs", "state", "cancelled" }: milliseconds from the moment at which the command
is started, or the signal sent, to the last start of a task, to the run's end as the journal has it, to the end of the
process that drove it; the CPU time that this process took for it (to 20 ms); what \`almanac cancel\` itself took; and how many calls were cancelled.`

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '128000' },
    by: { type: 'string', default: 'command' },
    after: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
})

const almanac = join(import.meta.dirname, '..', 'bin', 'almanac.cjs')
const workflow = `import { task, workflow } from 'almanac'
const wait = task('wait', async (n: number) => { await new Promise((done) => setTimeout(done, 20)); return n })
export default workflow('many', async () => {
  for (let n = 0; n < ${Number(options.calls)}; n++) void wait(n)
})
`

async function measure(project: string): Promise<void> {
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{}')
  writeFileSync(join(project, 'many.ts'), workflow)
  const run = spawn(process.execPath, [almanac, 'run', 'many.ts', '-j', '16'], {
    cwd: project,
    stdio: 'ignore',
  })
  const exited = new Promise<number>((done) => run.once('exit', () => done(Date.now())))
  await firstEnd(project)
  await new Promise((done) => setTimeout(done, Number(options.after) * 1000))
  const spent = cpuMs(run.pid)
  let cpu = 0
  const watch = setInterval(() => {
    cpu = cpuMs(run.pid) ?? cpu
  }, 20)
  const began = Date.now()
  let commandMs: number | undefined
  if (options.by === 'signal') run.kill('SIGINT')
  else {
    const command = spawn(process.execPath, [almanac, 'cancel', 'last'], { cwd: project, stdio: 'ignore' })
    command.once('exit', () => {
      commandMs = Date.now() - began
    })
  }
  const exit = await exited
  clearInterval(watch)
  const { journal, records, close } = await openSqliteJournal(join(project, '.almanac'), { readOnly: true })
  const [found] = await records.runs({ limit: 1 })
  if (found === undefined) throw new Error('the run left no trace')
  const starts = (await journal.load(found.id)).map(({ outcome }) =>
    outcome?.state === 'succeeded' ? outcome.startedAt : 0,
  )
  await close()
  console.log(
    JSON.stringify({
      lastStartMs: starts.reduce((last, start) => Math.max(last, start), 0) - began,
      recordedMs: (found.endedAt ?? Number.NaN) - began,
      exitMs: exit - began,
      cpuMs: cpu - (spent ?? 0),
      commandMs,
      state: found.state,
      cancelled: found.counts.cancelled,
    }),
  )
}

/** CPU time of a process: the kernel counts it in hundredths of a second. */
function cpuMs(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return ticks === 0 ? undefined : ticks * 10
  } catch {
    return undefined
  }
}

/** Waits until a task has ended. */
async function firstEnd(project: string): Promise<void> {
  for (;;) {
    const seen = spawnSync(process.execPath, [almanac, 'runs', '--json'], { cwd: project, encoding: 'utf8' })
    if (/"succeeded":\s*[1-9]/.test(seen.stdout)) return
    await new Promise((done) => setTimeout(done, 50))
  }
}

if (options.help) console.log(help)
else {
  const folder = mkdtempSync(join(tmpdir(), 'almanac-cancel-'))
  try {
    await measure(join(folder, 'project'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
