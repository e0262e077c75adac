import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DirRef, FileRef } from '../../model/refs.ts'
import { bytes } from '../../testing/contracts/data-fixture.ts'
import { temporaryHome } from '../../testing/temporary-home.ts'
import { openDataPlane } from '../open.ts'

const hour = 3_600_000

/** Something is put, becomes a root or none any more, or a round is made so many hours later. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('put' as const),
      files: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ do: fc.constantFrom('root' as const, 'unroot' as const), which: fc.nat(5) }),
    fc.record({ do: fc.constant('round' as const), hours: fc.constantFrom(0.4, 0.7, 1.5, 3) }),
  ),
  { minLength: 8, maxLength: 30 },
)

/** What is known of one content: since when it was found unreachable, or set aside; gone where it is not there. */
interface Content {
  state: 'there' | 'aside' | 'gone'
  since: number | undefined
}

it('frees what a naive model frees, in the rounds in which it does, and never what is needed', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const home = await temporaryHome()
      const data = openDataPlane({ home: `${home.path}/.almanac`, data: `${home.path}/data` })
      const model = new Map<string, Content>()
      const dirs: { readonly dir: DirRef; readonly files: readonly FileRef[] }[] = []
      const roots = new Set<number>()
      // dates of files are real, rounds are in the time to come
      let now = Date.now() + hour
      let salt = 0
      const needed = (): Set<string> =>
        new Set(
          [...roots].flatMap((i) => [
            dirs[i]?.dir.digest ?? '',
            ...(dirs[i]?.files ?? []).map((f) => f.digest),
          ]),
        )
      const isWhole = (i: number): boolean =>
        [dirs[i]?.dir.digest, ...(dirs[i]?.files ?? []).map((f) => f.digest)].every(
          (digest) => model.get(digest ?? '')?.state !== 'gone',
        )
      const put = async (numbers: readonly number[]): Promise<void> => {
        const round = salt++
        const files: FileRef[] = []
        for (const n of numbers) files.push(await data.writeFile(`${n}`, bytes(`content ${round} ${n}`)))
        const dir = await data.assemble(files.map((file) => [file.name, file] as const))
        dirs.push({ dir, files })
        for (const { digest } of [dir, ...files]) model.set(digest, { state: 'there', since: undefined })
      }
      const round = (): { movedAside: number; deleted: number } => {
        const keep = needed()
        const did = { movedAside: 0, deleted: 0 }
        for (const [digest, content] of model) {
          if (content.state === 'gone') continue
          if (keep.has(digest)) Object.assign(content, { state: 'there', since: undefined })
          else if (content.since === undefined) content.since = now
          else if (now - content.since >= hour) {
            content.state = content.state === 'there' ? 'aside' : 'gone'
            content.since = now
            did[content.state === 'aside' ? 'movedAside' : 'deleted']++
          }
        }
        return did
      }
      try {
        await put([0])
        for (const step of all) {
          if (step.do === 'put') await put(step.files)
          else if (step.do === 'root' && step.which < dirs.length && isWhole(step.which))
            roots.add(step.which)
          else if (step.do === 'unroot') roots.delete(step.which)
          if (step.do !== 'round') continue
          now += step.hours * hour
          const options = () => ({ roots: these([...needed()]), graceMs: hour, now })
          const before = await data.collectGarbage({ ...options(), dryRun: true })
          const report = await data.collectGarbage({ ...options(), dryRun: false })
          const { movedAside, deleted, freedBytes, missing } = report
          // only what it would do: what a root takes back, it takes back when it does
          expect(before).toMatchObject({ movedAside, deleted, freedBytes })
          expect({ movedAside, deleted, missing }).toEqual({ ...round(), missing: 0 })
        }
        const left = new Set<string>()
        for await (const { digest } of (await data.blobs()).list()) left.add(digest)
        for (const [digest, { state }] of model)
          expect({ digest, there: left.has(digest) }).toEqual({ digest, there: state === 'there' })
        for (const i of roots)
          for (const file of dirs[i]?.files ?? [])
            expect(Buffer.from(await data.readFile(file)).toString()).toMatch(/^content /)
      } finally {
        await data.close()
        await home.remove()
      }
    }),
    // a run that hangs is named, with its steps; where the disk is slow there are fewer of them
    { numRuns: 25, timeout: 60_000, interruptAfterTimeLimit: 120_000 },
  )
})

async function* these(roots: readonly string[]): AsyncGenerator<string> {
  yield* roots
}
