import { crossings } from './boundaries/check.ts'
import { productSources, root } from './source-files.ts'

/** Holds `src` to the table of folders. */

const found = await crossings(root)
for (const { rule, from, to, cycle } of found) {
  console.log(`${from} → ${cycle.length > 0 ? cycle.join(' → ') : to}\n    ${rule}`)
}
console.log(`${productSources().length} source files, ${found.length} imports that may not be`)
process.exitCode = found.length === 0 ? 0 : 1
