import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { json, open, task, workflow } from 'almanac'

/**
 * A run of very many tasks that do nothing, in a process of its own, and its resume with one task more.
 *
 *     node --expose-gc benchmarks/scale.ts make|resume PROJECT CALLS
 *
 * Prints `{ "ms", "cpuMs", "mainMs", "heapBytes", "peakBytes", "journalBytes" }` of the run, each of the bytes but the peak by task,
 * or `{ "ms", "cpuMs", "mainMs", "executed", "reused" }` to the first new task.
 */

const noop = task('noop', (n: number) => n)

let kept = 0
let before = 0
const heap = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
/** comes last, when all others have ended and the run still has all of them */
const weigh = task('weigh', () => {
  kept = heap() - before
})

let began = 0
let cpu = process.cpuUsage()
let main = 0
let first: object = {}
const fresh = task('fresh', () => {
  first = spent()
})

let isResumed = false
const many = workflow('many', { input: { count: json<number>() } }, async ({ count }) => {
  for (let n = 0; n < count; n++) void noop(n)
  await weigh()
  if (isResumed) void fresh()
})

function spent(): { readonly ms: number; readonly cpuMs: number; readonly mainMs: number } {
  const { user, system } = process.cpuUsage(cpu)
  return { ms: performance.now() - began, cpuMs: (user + system) / 1000, mainMs: mainMs() - main }
}

/** CPU of this thread. */
function mainMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const [what, project = '.', calls] = process.argv.slice(2)
const count = Number(calls)
const idFile = join(project, 'run-id')
const almanac = await open({ project, parallel: 2 })
try {
  if (what === 'make') {
    // code is compiled by the first
    await almanac.run(many, { count: 200 })
    before = heap()
    began = performance.now()
    cpu = process.cpuUsage()
    main = mainMs()
    const run = await almanac.start(many, { count })
    await run.result
    const journal = ['journal.db', 'journal.db-wal'].map(
      (name) => statSync(join(almanac.home, name), { throwIfNoEntry: false })?.size ?? 0,
    )
    const bytes = {
      heapBytes: kept / count,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      journalBytes: journal.reduce((sum, size) => sum + size, 0) / count,
    }
    writeFileSync(idFile, run.id)
    console.log(JSON.stringify({ ...spent(), ...bytes }))
  } else {
    isResumed = true
    began = performance.now()
    cpu = process.cpuUsage()
    main = mainMs()
    const run = await almanac.resume(readFileSync(idFile, 'utf8'), many)
    const { executed, reused } = await run.result
    console.log(JSON.stringify({ ...first, executed, reused }))
  }
} finally {
  await almanac.close()
}
