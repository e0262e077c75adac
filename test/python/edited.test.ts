import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Project } from '../cli/almanac.ts'

/** Files of Python that are edited while a run goes on. */

const pipeline = `
import { existsSync, writeFileSync, watch } from 'node:fs'
import { json, python, task, workflow } from 'almanac'
const of = (name, more) => python.task({ run: 'steps.py:' + name, input: { n: json() }, ...more })
export const said = of('said')
export const other = of('other')
export const sent = of('sent', { effect: true })
export const edited = task('edited', () => new Promise((resolve) => {
  const watcher = watch('.', () => {
    if (!existsSync('edited')) return
    watcher.close()
    resolve()
  })
  writeFileSync('begun', '')
}))
export default workflow('three', async () => {
  const before = [await said({ n: 1 }), await sent({ n: 0 })]
  await edited()
  return [...before, await said({ n: 2 }), await other({ n: 3 }), await sent({ n: 4 })]
})
`

const steps = (word: string) => `
def said(n):
    return f"${word} {n}"

def other(n):
    return f"other {n}"

def sent(n):
    return f"${word} {n}"
`

it('does not take what an edited function gave for what the function gave before it was edited', async () => {
  const project = await Project.make({ 'steps.py': steps('old'), 'pipeline.js': pipeline })
  try {
    const run = project.json('run', 'pipeline.js')
    await expect.poll(() => existsSync(join(project.folder, 'begun')), { timeout: 240_000 }).toBe(true)
    await project.write({ 'steps.py': steps('new') })
    await project.write({ edited: '' })
    const first = await run
    expect([first['state'], first['output']]).toEqual([
      'succeeded',
      ['old 1', 'old 0', 'new 2', 'other 3', 'new 4'],
    ])

    await project.write({ 'steps.py': steps('old') })
    const again = await project.json('resume', 'last')
    // an effect is not repeated
    expect([again['executed'], again['output']]).toEqual([1, ['old 1', 'old 0', 'old 2', 'other 3', 'new 4']])
    expect((await project.json('resume', 'last'))['executed']).toBe(0)
  } finally {
    await project.remove()
  }
})
