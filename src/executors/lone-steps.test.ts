import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { LoneSteps } from './lone-steps.ts'

/** How often a chain was hastened. */
const hastened = (steps: readonly boolean[]): number => {
  let times = 0
  const lone = new LoneSteps(() => {
    times += 1
  })
  for (const isLone of steps) lone.submitted(isLone)
  return times
}
const chain = (length: number): boolean[] => Array.from({ length }, () => true)

describe('steps that come one at a time', () => {
  it('are hastened once, when there are some in a row', () => {
    expect(hastened(chain(99))).toBe(0)
    expect(hastened([...chain(99), false, ...chain(99)])).toBe(0)
    expect(hastened([false, ...chain(1000)])).toBe(1)
  })

  it('have V8 compile sooner, by a flag that it knows', () => {
    const steps = `for (let n = 0; n < 100; n++) loneSteps.submitted(true)`
    expect(inProcess(`import { loneSteps } from ${own}; ${steps}`)).not.toContain('unrecognized flag')
  })

  it.runIf(process.platform === 'linux')('go before the threads of V8, and nothing else does', () => {
    const said = inProcess(`
      import { readdirSync, readFileSync } from 'node:fs'
      import { getPriority } from 'node:os'
      import { loneSteps } from ${own}
      const threads = readdirSync('/proc/self/task').map((thread) => {
        const isOfV8 = readFileSync('/proc/self/task/' + thread + '/comm', 'latin1') === 'V8Worker\\n'
        return { thread, isOfV8, before: getPriority(Number(thread)) }
      })
      for (let n = 0; n < 100; n++) loneSteps.submitted(true)
      const wrong = threads.filter(({ thread, isOfV8, before }) =>
        getPriority(Number(thread)) !== (isOfV8 ? Math.min(before + 10, 19) : before))
      console.log(JSON.stringify([threads.some(({ isOfV8 }) => isOfV8), wrong]))`)
    expect(JSON.parse(said)).toEqual([true, []])
  })
})

const own = JSON.stringify(fileURLToPath(new URL('./lone-steps.ts', import.meta.url)))

/** What a program prints, on both outputs: what V8 is told counts for all of a process. */
const inProcess = (program: string): string =>
  execFileSync('/bin/sh', ['-c', '"$0" --input-type=module -e "$1" 2>&1', process.execPath, program], {
    encoding: 'utf8',
  })
