import { crossings } from './boundaries/check.ts'
import { pythonCrossings } from './boundaries/python.ts'
import { productSources, root } from './source-files.ts'

/** Holds `src` and `python` to the tables of their folders. */

const found = [...(await crossings(root)), ...pythonCrossings(root)]
for (const { rule, from, to, cycle } of found) {
  console.log(`${from} → ${cycle.length > 0 ? cycle.join(' → ') : to}\n    ${rule}`)
}
console.log(`${productSources().length} source files, ${found.length} imports that may not be`)
process.exitCode = found.length === 0 ? 0 : 1
