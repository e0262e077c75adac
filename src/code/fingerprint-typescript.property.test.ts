import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CodeSource } from '../ports/code.ts'
import { ProjectFolder } from '../testing/project-folder.ts'
import { arbitraryEdits, reached, type Sketch } from '../testing/sketch.ts'
import { openCodeSource } from './source.ts'

/** Generated programs and generated edits: a task is the same exactly where nothing that it reaches has changed. */

let project: ProjectFolder
const sources: CodeSource[] = []

beforeAll(() => {
  project = new ProjectFolder()
})

afterAll(async () => {
  for (const source of sources) await source.close()
  project.remove()
})

const style = {
  plain: { comment: '', indent: '  ', end: '', gap: '\n' },
  other: { comment: '// said of it\n', indent: '      ', end: ';', gap: '\n\n\n/* between */\n' },
} as const

function rendered({ functions, tasks, style: chosen }: Sketch): Readonly<Record<string, string>> {
  const { comment, indent, end, gap } = style[chosen]
  const files: Record<string, string[]> = {}
  const moduleOf = (i: number): string => functions[i]?.module ?? 'm0'
  for (const [i, { module, calls, body, kind }] of functions.entries()) {
    const others = calls.filter((call) => moduleOf(call) !== module)
    const text = [
      `x + ${body}`,
      ...calls.map((call) => (functions[call]?.kind === 'constant' ? `f${call}` : `f${call}(x)`)),
    ].join(' + ')
    const code =
      kind === 'constant'
        ? `${comment}export const f${i}: number = ${body}${end}`
        : `${comment}export function f${i}(x: number): number {\n${indent}return ${text}${end}\n}`
    const imports = others.map((call) => `import { f${call} } from './${moduleOf(call)}.ts'${end}\n`)
    files[`${module}.ts`] = [...imports, ...(files[`${module}.ts`] ?? []), code]
  }
  const definitions = tasks.map(
    ({ root, retries }, i) =>
      `${comment}export const t${i} = task('t${i}', (x: number) => f${root}${functions[root]?.kind === 'constant' ? '' : '(x)'}, { retries: ${retries} })${end}`,
  )
  const roots = [...new Set(tasks.map(({ root }) => root))]
  files['main.ts'] = [
    `import { task } from 'almanac'`,
    ...roots.map((root) => `import { f${root} } from './${moduleOf(root)}.ts'`),
    ...definitions,
  ]
  return Object.fromEntries(Object.entries(files).map(([name, parts]) => [name, parts.join(gap)]))
}

async function digests(sketch: Sketch): Promise<readonly string[]> {
  const folder = `case${sources.length}`
  const files = Object.entries(rendered(sketch)).map(([name, text]) => [`${folder}/${name}`, text])
  project.write(Object.fromEntries(files))
  const source = openCodeSource({
    home: project.path('home'),
    project: project.path(folder),
    almanacUrl: 'file:///almanac/index.js',
  })
  sources.push(source)
  const prints = sketch.tasks.map((_, i) => source.fingerprint(project.task(`${folder}/main.ts`, `t${i}`)))
  return (await Promise.all(prints)).map(({ digest }) => digest)
}

test('a task of a generated program is the same exactly where nothing that it reaches has changed', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryEdits, async ({ before, after }) => {
      const [then, now] = [await digests(before), await digests(after)]
      const changed = then.map((digest, i) => digest !== now[i])
      const expected = before.tasks.map((_, i) => reached(before, i) !== reached(after, i))
      expect(changed).toEqual(expected)
    }),
    { numRuns: 30 },
  )
})
