import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

it('keeps the young generation from growing once it is large enough', () => {
  const file = fileURLToPath(new URL('./young-generation.ts', import.meta.url))
  // in a process of its own: what V8 is told counts for all of it
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { YoungGeneration } from ${JSON.stringify(file)}
    const size = () => getHeapSpaceStatistics().find((one) => one.space_name === 'new_space').space_size
    const kept = []
    const grow = (most) => { for (let n = 0; n < 15e5 && size() < most; n += 1000) for (let i = 0; i < 1000; i++) kept.push({ n }) }
    const young = new YoungGeneration()
    young.look()
    grow(16 * 2 ** 20)
    const before = size()
    young.look()
    grow(2 * before)
    console.log(JSON.stringify([before >= 16 * 2 ** 20, size() <= before]))`
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(JSON.parse(said)).toEqual([true, true])
})
