import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import pc from 'picocolors'
import { AlmanacError } from '../../model/errors.ts'
import { commandText } from '../output/command-text.ts'
import { openPrinter, printError } from '../output/printer.ts'
import type { CommonFlags } from '../session.ts'

/** What a new project begins with: it runs as it is. */
const inTypeScript: Readonly<Record<string, string>> = {
  'pipeline.ts': `import { dir, file, json, python, workflow } from 'almanac'

// plain Python functions: see steps.py
export const measure = python.task({
  run: 'steps.py:measure',
  input: { file: file() },
  output: { words: json<number>() },
})

export const report = python.task({
  run: 'steps.py:report',
  input: { counts: json<number[]>() },
  output: { page: file('report.md') },
  cache: true, // it takes no file; this says that nothing but its input counts
})

export default workflow('pipeline', { input: { texts: dir() } }, async ({ texts }) => {
  const measured = measure.map(texts) // one call a file; only new and changed files are executed
  return report({ counts: measured.words.all() })
})
`,
  'steps.py': `from pathlib import Path


def measure(file: Path) -> int:
    return len(file.read_text().split())


def report(counts: list[int], *, page: Path) -> None:
    page.write_text(f"{len(counts)} texts, {sum(counts)} words\\n")
`,
}

const inPython: Readonly<Record<string, string>> = {
  'pipeline.py': `from pathlib import Path

from almanac import Dir, file, task, workflow


@task
def measure(text: Path) -> int:
    return len(text.read_text().split())


# it takes no file; cache=True says that nothing but its input counts
@task(cache=True, outputs={"page": file("report.md")})
def report(counts: list[int], *, page: Path) -> None:
    page.write_text(f"{len(counts)} texts, {sum(counts)} words\\n")


@workflow(name="pipeline")
async def main(texts: Dir):
    counts = measure.map(texts)  # one call a file; only new and changed files are executed
    return report(counts.all())
`,
}

/** In either language. */
const files: Readonly<Record<string, string>> = {
  'texts/one.txt': 'a first text\n',
  'texts/two.txt': 'another one\n',
  // it marks the directory as a project: journal and data lie here, wherever below a command is typed
  'almanac.config.ts': `import { defineConfig } from 'almanac'

export default defineConfig({
  // parallel: 4, // processors that a run may take; all of them if absent
})
`,
  '.gitignore': '.almanac/\n/data/\nnode_modules/\n__pycache__/\n',
}

/** What a project may have already. */
const mayBe: readonly string[] = ['.gitignore', 'almanac.config.ts']

export interface InitFlags extends CommonFlags {
  readonly python?: boolean
}

/** `almanac init [DIR]` */
export async function initCommand(target: string | undefined, flags: InitFlags): Promise<void> {
  const printer = openPrinter({ json: flags.json === true, debug: flags.debug === true })
  const folder = resolve(target ?? '.')
  try {
    const made = { ...(flags.python === true ? inPython : inTypeScript), ...files }
    const [pipeline] = Object.keys(made)
    const taken = Object.keys(made).find((name) => existsSync(join(folder, name)) && !mayBe.includes(name))
    if (taken !== undefined) throw new AlmanacError('ALM_TARGET_EXISTS', { path: join(folder, taken) })
    for (const [name, text] of Object.entries(made)) {
      if (existsSync(join(folder, name))) continue
      await mkdir(join(folder, name, '..'), { recursive: true })
      await writeFile(join(folder, name), text)
      printer.object({ kind: 'made', path: join(folder, name) })
      printer.line(`${pc.green('+')} ${target === undefined ? name : join(target, name)}`)
    }
    const run = `${commandText(folder)} run ${pipeline} --input texts=texts`
    printer.object({ kind: 'next', folder, command: run })
    printer.line(`\n${folder === process.cwd() ? '' : `cd ${target}\n`}${run}`)
  } catch (error) {
    process.exitCode = printError(error, printer)
  }
}
