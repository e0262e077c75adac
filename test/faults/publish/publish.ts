import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Dir, dataset, dir, file, json, type TaskContext, task, workflow } from 'almanac'

/** Publishes two files that tell of `n`. */
export const write = task(
  'write',
  { output: { text: file('text.txt') } },
  (n: number, { out }: TaskContext) => writeFileSync(out['text'] as string, `text ${n}\n`.repeat(n)),
)

export default workflow('publish', { input: { n: json<number>() } }, async ({ n }) =>
  dataset('made/texts').publish(dir.of({ one: write(n).text, 'sub/two': write(n + 1).text })),
)

/** All that is there, and one line more. */
export const extend = task(
  'extend',
  { output: { lines: dir() } },
  (before: Dir, name: string, { out }: TaskContext) => {
    const lines = readdirSync(before.path).flatMap((file) =>
      readFileSync(join(before.path, file), 'utf8').split('\n').slice(0, -1),
    )
    mkdirSync(out['lines'] as string)
    writeFileSync(
      join(out['lines'] as string, 'lines.txt'),
      [...lines, name].map((line) => `${line}\n`).join(''),
    )
  },
)
