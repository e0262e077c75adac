import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Node, Program } from 'oxc-parser'
import { type DefinitionPlace, definitionsOf, type Range } from './definitions.ts'
import { type Edit, type EditedText, edit, insertion, Lines } from './edits.ts'
import { bare, effectImports, isInert, type Parser, propertyOf, walk } from './syntax.ts'
import { type Undeclared, undeclaredIn } from './undeclared-inputs.ts'

/** One module of the author's, read and looked at once for all that loading and fingerprints need. */
export interface ModuleCode {
  readonly source: string
  readonly lines: Lines
  /** the text that is run: it knows where it lies although it is bundled */
  readonly toRun: string
  /** the text that counts */
  readonly toCount: EditedText
  /** top-level statements in order; imports and re-exports have no name */
  readonly statements: readonly CodeStatement[]
  readonly effectImports: ReadonlySet<string>
  readonly places: readonly DefinitionPlace[]
  readonly inner: readonly Range[]
  readonly undeclared: readonly Undeclared[]
}

export interface CodeStatement extends Range {
  readonly name: string
  /** it only says what names stand for: when it is executed makes no difference */
  readonly inert: boolean
}

/** What the author writes code in. */
export const codeFiles = /\.[cm]?[jt]sx?$/

/** @throws nothing: what cannot be parsed counts as it is written, and the bundler says what is wrong */
export function moduleCode(parser: Parser, path: string, source: string): ModuleCode {
  const base = { source, lines: new Lines(source) }
  try {
    const program = parser.parse(path, source)
    if (program !== undefined) return { ...base, ...lookedAt(parser, path, source, program) }
  } catch (error) {
    // nested too deep for a walk: it counts as it is written
    if (!(error instanceof RangeError)) throw error
  }
  return {
    ...base,
    toRun: source,
    toCount: edit(source, []),
    statements: [],
    effectImports: new Set(),
    places: [],
    inner: [],
    undeclared: [],
  }
}

function lookedAt(
  parser: Parser,
  path: string,
  source: string,
  program: Program,
): Omit<ModuleCode, 'source' | 'lines'> {
  const { edits, places, inner, isDefinition } = definitionsOf(parser, program)
  const inert = (statement: Program['body'][number]): boolean => isInert(statement, isDefinition)
  const counted = edit(source, [...edits, ...nameDefaultExport(source, program), ...keepConstants(program)])
  return {
    toRun: textToRun(parser, path, source, program),
    toCount: counted,
    statements: program.body.map((one) => ({
      start: one.start,
      end: one.end,
      name: nameOf(one),
      inert: inert(one),
    })),
    effectImports: effectImports(program),
    places,
    inner,
    undeclared: undeclaredIn(parser, program),
  }
}

/** A default export without a name would be named after its file, and moving the file would count. */
function nameDefaultExport(source: string, program: Program): readonly Edit[] {
  for (const statement of program.body) {
    if (statement.type !== 'ExportDefaultDeclaration') continue
    const { declaration } = statement
    if (declaration.type === 'TSInterfaceDeclaration') return []
    const declared = declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration'
    if (declared && declaration.id !== null) return []
    return [
      { start: statement.start, end: declaration.start, text: 'const almanac_default=' },
      insertion(declaration.end, ';'),
      insertion(source.length, '\nexport{almanac_default as default};'),
    ]
  }
  return []
}

/** Whether the bundler writes a constant's value for its name depends on what else stands before it. */
const keepConstants = (program: Program): readonly Edit[] =>
  program.body.flatMap((statement) => {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declared?.type !== 'VariableDeclaration' || declared.kind !== 'const' || declared.declare === true)
      return []
    return [{ start: declared.start, end: declared.start + 'const'.length, text: 'let' }]
  })

function textToRun(parser: Parser, path: string, source: string, program: Program): string {
  if (!/\bimport\.meta\b|\b__dirname\b|\b__filename\b/.test(source)) return source
  const places: Readonly<Record<string, string>> = {
    url: pathToFileURL(path).href,
    filename: path,
    dirname: dirname(path),
  }
  const edits: Edit[] = []
  let isModule = false
  walk(parser, program, (node) => {
    isModule ||= /^(?:Import|Export)\w*Declaration$/.test(node.type) || node.type === 'MetaProperty'
    if (node.type !== 'MemberExpression' || bare(node.object).type !== 'MetaProperty') return
    const place = places[propertyOf(node) ?? '']
    if (place !== undefined) edits.push({ start: node.start, end: node.end, text: JSON.stringify(place) })
  })
  const commonJs = `var __filename=${JSON.stringify(path)},__dirname=${JSON.stringify(dirname(path))};`
  const begin = source.startsWith('#!') ? source.indexOf('\n') + 1 : 0
  return edit(source, isModule ? edits : [insertion(begin, commonJs)]).text
}

/** What a top-level statement is called where parts of a fingerprint are listed; imports count elsewhere. */
function nameOf(statement: Node): string {
  const declared =
    statement.type === 'ExportNamedDeclaration' && statement.declaration !== null
      ? statement.declaration
      : statement
  switch (declared.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      return ''
    case 'ExportDefaultDeclaration':
      return 'default'
    case 'VariableDeclaration':
      return declared.declarations.map(({ id }) => (id.type === 'Identifier' ? id.name : '{…}')).join(', ')
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return declared.id?.name ?? 'default'
    case 'TSEnumDeclaration':
      return declared.id.name
    default:
      return 'top level'
  }
}
