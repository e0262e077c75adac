import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { CompileThreshold } from './compile-threshold.ts'

const flags = (steps: readonly boolean[]): string[] => {
  const set: string[] = []
  const lone = new CompileThreshold((flag) => set.push(flag))
  for (const isLone of steps) lone.submitted(isLone)
  return set
}
const chain = (length: number): boolean[] => Array.from({ length }, () => true)

describe('steps that come one at a time', () => {
  it('have V8 compile sooner, once there are some in a row', () => {
    expect(flags(chain(99))).toEqual([])
    expect(flags([...chain(99), false, ...chain(99)])).toEqual([])
    expect(flags([false, ...chain(1000)])).toEqual(['--invocation-count-for-turbofan=300'])
  })

  it('ask for what this V8 knows', () => {
    const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
    for (const flag of flags(chain(100))) expect(known).toContain(`${flag.replace(/=.*/, '')} (`)
  })
})
