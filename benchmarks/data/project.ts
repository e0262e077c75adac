import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeTree } from '../../src/data/files/remove-tree.ts'
import { type Cost, costOf } from '../process-cost.ts'
import { peakOf } from './peak.ts'

const almanac = join(import.meta.dirname, '../../bin/almanac.cjs')

const steps = `from pathlib import Path


def head(file: Path) -> str:
    return file.read_bytes()[:16].hex()
`

const workflows = {
  // only looks at what is there
  scan: `import { dir, workflow, z } from 'almanac'

export default workflow('scan', { input: z.object({ raw: dir() }) }, async ({ raw }) => ({
  files: raw.entries,
  digest: raw.digest,
}))
`,
  // a trivial Python function for each file
  heads: `import { dir, file, json, python, workflow, z } from 'almanac'

export const head = python.task({ run: 'steps.py:head', input: { file: file() }, output: { head: json<string>() } })

export default workflow('heads', { input: z.object({ raw: dir() }) }, async ({ raw }) => {
  const heads = await head.map(raw)
  return { files: heads.head.entries, digest: heads.head.digest }
})
`,
  // the same, and the results are shown as plain files
  shown: `import { dir, workflow, z } from 'almanac'
import { head } from './heads.ts'

export default workflow('shown', { input: z.object({ raw: dir() }) }, async ({ raw }) => ({
  heads: head.map(raw).head,
}))
`,
  empty: `import { workflow } from 'almanac'

export default workflow('empty', async () => undefined)
`,
} as const

const sources = Object.fromEntries(Object.entries(workflows).map(([name, text]) => [`${name}.ts`, text]))

export interface Ran {
  readonly cost: Cost
  readonly executed: number
  readonly reused: number
}

/** A project of Almanac, run as a user would: whole processes of the built package. */
export class BenchProject {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of Object.entries({ 'package.json': '{}', 'steps.py': steps, ...sources })) {
      writeFileSync(join(folder, name), text)
    }
  }

  run(workflow: keyof typeof workflows, raw?: string): Ran {
    const cost = costOf(this.#command(workflow, raw), this.folder)
    const { executed, reused } = JSON.parse(cost.stdout.trim().split('\n').at(-1) as string) as Ran
    return { cost, executed, reused }
  }

  /** Takes a directory as a version of a dataset. */
  add(path: string, how: '--move' | '--managed'): Cost {
    return costOf([process.execPath, almanac, 'data', 'add', 'large', path, how, '--json'], this.folder)
  }

  remove(): void {
    removeTree(this.folder)
  }

  /** The peak of memory of a run, MB. */
  peak(workflow: keyof typeof workflows, raw?: string): Promise<number> {
    return peakOf(this.#command(workflow, raw), this.folder)
  }

  /** Blobs and bytes of the store. */
  stored(): { readonly blobs: number; readonly bytes: number } {
    const store = join(this.folder, '.almanac/store')
    let blobs = 0
    let bytes = 0
    for (const shard of readdirSync(store)) {
      for (const name of readdirSync(join(store, shard))) {
        blobs++
        bytes += statSync(join(store, shard, name)).size
      }
    }
    return { blobs, bytes }
  }

  #command(workflow: keyof typeof workflows, raw: string | undefined): [string, ...string[]] {
    const input = raw === undefined ? [] : ['--input', `raw=${raw}`]
    return [process.execPath, almanac, 'run', `${workflow}.ts`, ...input, '--json']
  }
}
