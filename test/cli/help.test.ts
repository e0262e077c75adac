import { afterEach, expect, it } from 'vitest'
import { Project } from './almanac.ts'

let project: Project

afterEach(() => project.remove())

const scaled = `/** Scales what stations sent. */
import { dir, json, workflow, z } from 'almanac'

const input = z.object({
  raw: z.union([dir(), z.null()]).optional().describe('what stations sent'),
  level: z.number(),
  mode: z.enum(['mean', 'sum']).default('mean'),
})

export default workflow('scaled', { input }, async ({ level }) => level)
`

it('run FILE --help says what the workflow does and takes, then what can be said to run', async () => {
  project = await Project.make({
    'scaled.ts': scaled,
    'bare.ts': `import { workflow } from 'almanac'
/**
 * Does nothing.
 * At all.
 */
export default workflow('bare', async () => null)
`,
  })
  const { code, stdout, stderr } = await project.run('run', 'scaled.ts', '--help')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.slice(0, stdout.indexOf('Options:'))).toBe(`scaled
  Scales what stations sent.

Inputs, as -i NAME=VALUE:
  raw    DIR|null  may be absent      what stations sent
  level  number
  mode   mean|sum  if absent: "mean"

almanac run scaled.ts -i level=number

Usage: almanac run [options] <file>[:workflow]

run a workflow; what was computed before is reused

`)
  const bare = await project.json('run', 'bare.ts', '-h')
  expect([bare['name'], bare['about'], bare['input']]).toEqual(['bare', 'Does nothing.\nAt all.', null])
  expect((await project.run('runs')).stdout).toBe('No runs yet: almanac run FILE\n')
})

it('run without a file asks for one, or gives its help', async () => {
  project = await Project.make()
  const { code, stderr } = await project.run('run')
  expect([code, stderr]).toEqual([
    2,
    "error: missing required argument 'file'\nName the file of a workflow: almanac run FILE\nSee almanac run --help.\n",
  ])
  expect((await project.run('run', '--help')).stdout).toMatch(
    /^Usage: almanac run \[options\] <file>\[:workflow\]\n/,
  )
})
