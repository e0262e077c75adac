import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { openAlmanac } from '../../../src/main.ts'

/** Computes and publishes for so many ms, a few values in turn, and looks at each result whole: `node compute.ts 20000`. */
const almanac = await openAlmanac({ environment: 'main' })
const { workflow } = await almanac.load('pages.ts')
const began = performance.now()
const until = began + Number(process.argv[2])
const wrong: string[] = []
let runs = 0
for (; performance.now() < until; runs++) {
  // each value rests for long enough to be set aside or deleted, and comes back
  const n = Math.floor((performance.now() - began) / 1200) % 6
  // for who collects it is this moment until the run has ended, however long that takes: see `collect-often.ts`
  writeFileSync('began', '')
  await almanac.run(workflow, { n })
  const shown = 'data/main/made/pages'
  if (readFileSync(`${shown}/n`, 'utf8') !== `page of ${n}`) wrong.push(`run ${runs}: not of ${n}`)
  for (const page of readdirSync(`${shown}/sub`))
    if (readFileSync(`${shown}/sub/${page}`, 'utf8') !== `page ${page}`) wrong.push(`run ${runs}: ${page}`)
}
const { store, datasets } = await almanac.maintenance.check({ data: true })
await almanac.close()
console.log(JSON.stringify({ runs, wrong, damaged: store?.damaged, datasets }))
