import { mkdirSync, writeFileSync } from 'node:fs'
import { dataset, dir, json, type TaskContext, task, workflow } from 'almanac'

/** Ten pages, of which one tells of `n`: the others are those of every other `n`. */
export const pages = task(
  'pages',
  { output: { leaves: dir() }, cache: true },
  (n: number, { out }: TaskContext) => {
    console.log(`pages of ${n}`)
    const all = out['leaves'] as string
    mkdirSync(`${all}/sub`, { recursive: true })
    for (let page = 0; page < 9; page++) writeFileSync(`${all}/sub/${page}`, `page ${page}`)
    writeFileSync(`${all}/n`, `page of ${n}`)
  },
)

export default workflow('pages', { input: { n: json<number>() } }, async ({ n }) =>
  dataset('made/pages').publish(pages(n).leaves),
)
