/**
 * Code that documents show: fenced blocks of Markdown files and of doc comments.
 *
 *   ```ts                       checked and run, as a module of its own
 *   ```ts title="ingest.ts"     the same, under a name by which later blocks of the document import it
 *   ```python title="steps.py"  written beside them; any language with a title is
 *   ```sh run                   run by bash, `almanac` being this one
 *
 * In docstrings of Python each ```python block is a file of its own: its workflow is run, and what its last line returns
 * is what `# gives …` says, as JSON; a block with `# prints …` is run as a program.
 *
 * A `console.log(…) // text` says what the line prints; where a block has one, all that it prints is compared.
 */
export interface Example {
  /** `README.md`, `src/flow/task.ts` */
  readonly source: string
  /** of its first line, in the source */
  readonly line: number
  readonly name: string
  readonly kind: 'module' | 'shell' | 'file' | 'python'
  readonly text: string
  readonly prints: readonly string[] | undefined
}

const fence = /^( *)```(\w+)([^\n`]*)\n([\s\S]*?)\n\1```/gm

export function fromMarkdown(source: string, text: string): Example[] {
  return [...text.matchAll(fence)].flatMap((match) => {
    const [all, indent = '', language = '', info = '', body = ''] = match
    const title = /title="([^"]+)"/.exec(info)?.[1]
    const kind = kindOf(language, info, title)
    if (kind === undefined) return []
    const line = lineAt(text, match.index + all.indexOf('\n') + 1)
    const unindented = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    return [
      { source, line, name: title ?? `line-${line}.ts`, kind, text: unindented, prints: prints(unindented) },
    ]
  })
}

/** Blocks of doc comments, each a document of its own. */
export function fromComments(source: string, text: string): Example[] {
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap((comment) => {
    const inner = comment[0].replaceAll(/^[ \t]*\/?\*+\/?[ \t]?/gm, '')
    const before = lineAt(text, comment.index) - 1
    return fromMarkdown(source, inner).map((one) => ({
      ...one,
      line: one.line + before,
      name: `line-${one.line + before}.ts`,
    }))
  })
}

/** Blocks of docstrings, each a file of its own. */
export function fromDocstrings(source: string, text: string): Example[] {
  return [...text.matchAll(fence)].flatMap((match) => {
    const [all, indent = '', language, , body = ''] = match
    if (language !== 'python') return []
    const line = lineAt(text, match.index + all.indexOf('\n') + 1)
    const unindented = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    const said = /# (?:gives|prints) (.*)$/m.exec(unindented)?.[1]
    const name = `line_${line}.py`
    const prints = said === undefined ? undefined : [said]
    return [{ source, line, name, kind: 'python' as const, text: unindented, prints }]
  })
}

function kindOf(language: string, info: string, title: string | undefined): Example['kind'] | undefined {
  if (language === 'ts') return 'module'
  if (title !== undefined) return 'file'
  return language === 'sh' && /\brun\b/.test(info) ? 'shell' : undefined
}

function prints(text: string): string[] | undefined {
  const lines = [...text.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map((match) => match[1] as string)
  return lines.length > 0 ? lines : undefined
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length
