import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dir, json } from '../../src/flow/schema.ts'
import { task } from '../../src/flow/task.ts'
import type { Dir, File } from '../../src/flow/values.ts'
import { workflow } from '../../src/flow/workflow.ts'
import type { DirRef } from '../../src/model/refs.ts'
import { World } from '../../src/testing/world.ts'

/** A directory as the model has it: content by path. */
type Files = ReadonlyMap<string, string>

let world: World
const text = (given: File): string => new TextDecoder().decode(world.data.files.file(given.at ?? '')?.bytes)

/** Two outputs; the first is the same for many contents, so that what follows it is cut off early. */
const look = task('look', { output: { length: json<number>(), seen: json<string>() } }, (given: File) => ({
  length: text(given).length,
  seen: `${given.name}=${text(given)}`,
}))
const size = task('size', { output: { files: json<number>() } }, (given: Dir) => given.entries)

const flow = workflow('edits', { input: { raw: dir() } }, async ({ raw }) => {
  const looked = look.map(raw)
  const long = raw.filter(looked.length, (length) => length > 1)
  return {
    seen: await looked.seen.all(),
    kept: await look.map(long).seen.all(),
    sizes: await size.map(raw, { by: /^[^/]+/ }).files.all(),
  }
})

/** What a run from nothing gives, computed from the model alone. */
function expected(files: Files) {
  const paths = [...files.keys()].sort(byName)
  const seen = (path: string): string => `${path.split('/').at(-1)}=${files.get(path)}`
  const tops = [...new Set(paths.map((path) => path.split('/')[0]))]
  return {
    seen: paths.map(seen),
    kept: paths.filter((path) => (files.get(path) as string).length > 1).map(seen),
    sizes: tops.map((top) => paths.filter((path) => path.split('/')[0] === top).length),
  }
}

/** Name by name: what a directory holds follows it at once. */
const byName = (a: string, b: string): number => (a.replaceAll('/', '\0') < b.replaceAll('/', '\0') ? -1 : 1)

/** What a file is to a task that looks at it: its last name and its content. */
const identityOf = (path: string, content: string): string => `${path.split('/').at(-1)}\n${content}`
const groupOf = (files: Files, top: string): string =>
  JSON.stringify([...files].filter(([path]) => path.split('/')[0] === top).sort())

type Edit = { readonly path: string; readonly content: string | undefined }
const paths = ['a/1', 'a/2', 'a/b/3', 'c/1', 'c/4', 'd/5']
const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({ path: fc.constantFrom(...paths), content: fc.constantFrom('x', 'y', 'xx', 'yyy', undefined) }),
  { maxLength: 4 },
)

function apply(files: Map<string, string>, { path, content }: Edit): void {
  const at = `/raw/${path}`
  if (content === undefined) {
    if (files.delete(path)) world.data.files.remove(at)
    return
  }
  files.set(path, content)
  world.data.files.write(at, new TextEncoder().encode(content))
}

describe('any sequence of edits to a directory', () => {
  it('gives what a fresh run gives, and executes each thing that was never seen, once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 5 }), async (rounds) => {
        world = new World()
        const files = new Map<string, string>()
        const known = new Set<string>()
        for (const round of [[{ path: 'a/1', content: 'first' }], ...rounds]) {
          for (const edit of round) apply(files, edit)
          if (files.size === 0) apply(files, { path: 'a/1', content: 'x' })
          const now = new Set<string>()
          for (const [path, content] of files) {
            now.add(identityOf(path, content))
            now.add(groupOf(files, path.split('/')[0] as string))
          }
          const fresh = [...now].filter((one) => !known.has(one))
          for (const one of fresh) known.add(one)
          world.took()
          const raw = (await world.data.scan('/raw')) as DirRef
          const { output, error } = await world.run(flow, { raw } as never)
          expect(error).toBeUndefined()
          expect(output).toEqual(expected(files))
          expect(world.took().length).toBe(fresh.length)
        }
      }),
      { numRuns: 60 },
    )
  })
})
