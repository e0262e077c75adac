import { json, open, task, workflow } from 'almanac'

/**
 * A chain of tasks that do nothing, each awaits the one before, from the start of the process: nothing is warm.
 *
 *     node benchmarks/chain.ts PROJECT STEPS
 *
 * Prints what each step took, in µs.
 */

const noop = task('noop', (n: number) => n)
const chain = workflow('chain', { input: { count: json<number>() } }, async ({ count }) => {
  let last = 0
  for (let n = 0; n < count; n++) {
    const began = performance.now()
    last = await noop(last)
    steps.push(1000 * (performance.now() - began))
  }
})
const steps: number[] = []

const [project = '.', count] = process.argv.slice(2)
const almanac = await open({ project })
await almanac.run(chain, { count: Number(count) })
await almanac.close()
console.log(JSON.stringify(steps))
