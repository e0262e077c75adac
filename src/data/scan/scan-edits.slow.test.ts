import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DirRef } from '../../model/refs.ts'
import { removeTree } from '../files/remove-tree.ts'
import { openDataPlane } from '../open.ts'

/** Large enough that its listing is cut into parts, which are edited and not written anew. */
const files = 1100

let place: string
let homes = 0

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'almanac-scan-edits-'))
})
afterEach(() => removeTree(place))

// what was just written counts as settled, or as not settled, as a round says
async function scan(home: string, root: string, settled: boolean): Promise<DirRef> {
  const now = () => Date.now() + (settled ? 60_000 : 0)
  const data = openDataPlane({ home: join(place, home), data: join(place, 'data'), now })
  try {
    return (await data.scan(root)) as DirRef
  } finally {
    await data.close()
  }
}

const pathIn = (root: string, index: number): string => join(root, `file-${String(index).padStart(5, '0')}`)

type Edit = { readonly kind: 'write' | 'remove' | 'directory' | 'executable'; readonly index: number }

function apply(root: string, { kind, index }: Edit, round: number): void {
  const path = pathIn(root, index)
  rmSync(path, { recursive: true, force: true })
  if (kind === 'remove') return
  if (kind === 'directory') {
    mkdirSync(path)
    writeFileSync(join(path, 'inside'), `${round}`)
    return
  }
  writeFileSync(path, `${index} ${round}`)
  if (kind === 'executable') chmodSync(path, 0o755)
}

const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('write', 'write', 'remove', 'directory', 'executable'),
    index: fc.integer({ min: 0, max: files + 5 }),
  }),
  { maxLength: 6 },
)
const rounds = fc.array(fc.record({ edits, settled: fc.boolean() }), { minLength: 1, maxLength: 4 })

it('after any edits a scan gives what a scan from nothing gives', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (all) => {
      const root = join(place, `root-${homes}`)
      const home = `home-${homes++}`
      mkdirSync(root)
      for (let i = 0; i < files; i++) writeFileSync(pathIn(root, i), `${i}`)
      await scan(home, root, true)
      for (const [round, { edits: some, settled }] of all.entries()) {
        for (const edit of some) apply(root, edit, round)
        const again = await scan(home, root, settled)
        expect(again).toEqual(await scan(`fresh-${homes++}`, root, true))
      }
    }),
    { numRuns: 12 },
  )
})
