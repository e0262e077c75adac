import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorCode } from '../src/model/errors.ts'
import { catalogue } from '../src/model/errors.ts'
import { root } from './source-files.ts'

/** `docs/errors.md` from the catalogue: all and only its codes. With `--check` nothing is written. */

const source = readFileSync(join(root, 'src/model/errors.ts'), 'utf8')
const path = join(root, 'docs/errors.md')

/** The catalogue's comments are the groups; a comment without a title here is printed as it is. */
const titles: Readonly<Record<string, string>> = {
  authors: 'Writing workflows',
  tasks: 'Tasks',
  data: 'Files and directories',
  journal: 'Runs and the journal',
  python: 'Python',
  use: 'Using Almanac',
}

function groups(): [title: string, codes: ErrorCode[]][] {
  const found: [string, ErrorCode[]][] = []
  const body = source.slice(source.indexOf('export const catalogue'), source.indexOf('as const satisfies'))
  for (const [, comment, code] of body.matchAll(/^ {2}(?:\/\/ (.+)|(ALM_\w+):)/gm)) {
    if (comment !== undefined) found.push([titles[comment] ?? comment, []])
    else found.at(-1)?.[1].push(code as ErrorCode)
  }
  return found
}

const listed = groups().flatMap(([, codes]) => codes)
const unlisted = Object.keys(catalogue).filter((code) => !listed.includes(code as ErrorCode))
if (unlisted.length > 0) throw new Error(`${unlisted.join(', ')}: not in a group of src/model/errors.ts`)

const text = [
  '# Errors',
  '',
  'Every error of Almanac has a code, says what happened and what to do next. Words in braces are filled in.',
  'This page is made from `src/model/errors.ts` by `npm run docs`.',
  ...groups().flatMap(([title, codes]) => ['', `## ${title}`, ...codes.flatMap(section)]),
  '',
].join('\n')

function section(code: ErrorCode): string[] {
  const { message, hint } = catalogue[code]
  return ['', `### ${code}`, '', quoted(message), '', `**What to do:** ${quoted(hint)}`]
}

/** Braces, angles and stars are text, not markup. */
function quoted(words: string): string {
  return words.replace(/[<>*_]/g, String.raw`\$&`).replace(/\{(\w+)\}/g, '`{$1}`')
}

if (!process.argv.includes('--check')) writeFileSync(path, text)
else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
  console.log('docs/errors.md is not current: npm run docs')
  process.exitCode = 1
}
console.log(`${listed.length} errors`)
