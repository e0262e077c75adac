import { join } from 'node:path'
import { openDataPlane } from '../../src/data/open.ts'
import { DirRef } from '../../src/model/refs.ts'

/**
 * One operation of the data plane in a process of its own; prints the seconds that it took, without start-up.
 *
 *     node plane.ts collect HOME DIRECTORY      what a task left at a path: moved into the store
 *     node plane.ts open HOME DIGEST            a tree of the store as files at a path: checked out by links
 */

const [operation, home = '', what = ''] = process.argv.slice(2)
const data = openDataPlane({ home, data: join(home, '../data') })
try {
  // opens the store; its threads start when they are needed
  await data.assemble([])
  const began = performance.now()
  const result = operation === 'open' ? await data.open(new DirRef(what, 0, 0)) : await data.collectDir(what)
  const seconds = (performance.now() - began) / 1000
  console.log(JSON.stringify({ seconds, ...(result instanceof DirRef && { digest: result.digest }) }))
} finally {
  await data.close()
}
