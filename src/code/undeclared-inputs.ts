import type { CallExpression, Node, Program } from 'oxc-parser'
import type { Range } from './definitions.ts'
import {
  bare,
  type ImportedName,
  importedNames,
  initialisers,
  keyOf,
  opensScope,
  type Parser,
  propertyOf,
  rootOf,
  textOf,
  walk,
} from './syntax.ts'

/** What code takes from outside without a fingerprint seeing it. */
export interface Undeclared extends Range {
  readonly kind: 'env' | 'read' | 'import'
  /** of the variable or file, where the code says it */
  readonly name: string | undefined
  /**
   * Of a variable that is set on import, and not exported: the statements that use it. Code that has none of them does
   * without what was taken.
   */
  readonly uses?: readonly Range[]
}

/**
 * Environment variables, computed imports, and reads of files whose path is fixed in the code. A path that comes
 * in an argument is an input, and counts already.
 */
export function undeclaredIn(parser: Parser, program: Program): readonly Undeclared[] {
  const scan = new Scan(program)
  const onImport = new Set<Undeclared>()
  let depth = 0
  walk(
    parser,
    program,
    (node, ancestors) => {
      if (opensScope(node)) depth++
      const before = scan.found.length
      scan.visit(node, ancestors.at(-1), depth === 0)
      if (depth === 0) for (const one of scan.found.slice(before)) onImport.add(one)
    },
    (node) => {
      if (opensScope(node)) depth--
    },
  )
  return onImport.size === 0 ? scan.found : withUses(parser, program, scan.found, onImport)
}

function withUses(
  parser: Parser,
  program: Program,
  found: readonly Undeclared[],
  onImport: ReadonlySet<Undeclared>,
): readonly Undeclared[] {
  const uses = new Map<Node, Set<Node>>()
  const declared = new Map<string, Node>()
  for (const statement of program.body) {
    if (statement.type !== 'VariableDeclaration') continue
    uses.set(statement, new Set())
    for (const { id } of statement.declarations)
      walk(parser, id, (node) => {
        if (node.type === 'Identifier') declared.set(node.name, statement)
      })
  }
  for (const statement of program.body)
    walk(parser, statement, (node) => {
      const declaration = node.type === 'Identifier' ? declared.get(node.name) : undefined
      if (declaration !== undefined && declaration !== statement) uses.get(declaration)?.add(statement)
    })
  return found.map((one) => {
    const declaration = onImport.has(one)
      ? [...uses.keys()].find(({ start, end }) => one.start >= start && one.end <= end)
      : undefined
    return declaration === undefined ? one : { ...one, uses: usesOf(declaration, uses) }
  })
}

const readers =
  /^(?:readFile|readFileSync|createReadStream|open|openSync|openAsBlob|readdir|readdirSync|opendir|opendirSync|readlink|readlinkSync|glob|globSync)$/

/** Where what a declaration sets goes to, through others. */
function usesOf(declaration: Node, uses: ReadonlyMap<Node, ReadonlySet<Node>>): readonly Range[] {
  const reached = new Set([declaration])
  const found: Range[] = []
  for (const one of reached) {
    const next = uses.get(one)
    if (next === undefined) found.push({ start: one.start, end: one.end })
    for (const use of next ?? []) reached.add(use)
  }
  return found
}

class Scan {
  readonly found: Undeclared[] = []
  readonly #imports: ReadonlyMap<string, ImportedName>
  /** top-level names whose value is written in the code */
  readonly #fixed = new Set<string>()

  constructor(program: Program) {
    this.#imports = importedNames(program)
    for (const statement of program.body) {
      for (const { name, value } of initialisers(statement)) {
        if (name !== undefined && this.#isFixed(value)) this.#fixed.add(name)
      }
    }
  }

  visit(node: Node, parent: Node | undefined, atImport: boolean): void {
    const { start, end } = node
    if (node.type === 'ImportExpression' && textOf(node.source) === undefined) {
      this.found.push({ kind: 'import', name: undefined, start, end })
    } else if (node.type === 'CallExpression') this.#call(node, atImport)
    else if (this.#isEnvironment(node)) this.#environment(node, parent)
  }

  #environment(node: Node, parent: Node | undefined): void {
    if (node.type === 'Identifier' && parent !== undefined && isOnlyName(node, parent)) return
    const { start, end } = node
    const add = (name: string | undefined): void => void this.found.push({ kind: 'env', name, start, end })
    if (parent?.type === 'MemberExpression' && parent.object === node) add(propertyOf(parent))
    else if (parent?.type === 'VariableDeclarator' && parent.id.type === 'ObjectPattern') {
      for (const property of parent.id.properties) add(keyOf(property))
    } else add(undefined)
  }

  #isEnvironment(node: Node): boolean {
    if (node.type === 'Identifier') return this.#isImport(node.name, ['process'], 'env')
    if (node.type !== 'MemberExpression' || propertyOf(node) !== 'env') return false
    const object = bare(node.object)
    if (object.type !== 'Identifier') return false
    return object.name === 'process' || this.#isImport(object.name, ['process'], 'default', '*')
  }

  #call(call: CallExpression, atImport: boolean): void {
    const [path] = call.arguments
    if (path === undefined || !this.#isReader(call) || !(atImport || this.#isFixed(path))) return
    this.found.push({ kind: 'read', name: lastText(path), start: call.start, end: call.end })
  }

  /** Is it a call of Node's file system, in whatever form it was imported? */
  #isReader(call: CallExpression): boolean {
    const callee = bare(call.callee)
    const modules = ['fs', 'fs/promises']
    if (callee.type === 'Identifier') {
      const name = this.#imports.get(callee.name)?.name
      return name !== undefined && readers.test(name) && this.#isImport(callee.name, modules, name)
    }
    const root = rootOf(callee)
    if (root === undefined || !readers.test(propertyOf(callee) ?? '')) return false
    return this.#isImport(root, modules, 'default', '*', 'promises')
  }

  /** Is its value the same in every call? */
  #isFixed(expression: Node): boolean {
    const node = bare(expression)
    switch (node.type) {
      case 'Literal':
        return true
      case 'TemplateLiteral':
        return node.expressions.every((one) => this.#isFixed(one))
      case 'BinaryExpression':
        return this.#isFixed(node.left) && this.#isFixed(node.right)
      case 'Identifier':
        return this.#fixed.has(node.name) || node.name === '__dirname' || node.name === '__filename'
      case 'MemberExpression':
        return bare(node.object).type === 'MetaProperty'
      case 'NewExpression':
        return rootOf(node.callee) === 'URL' && node.arguments.every((one) => this.#isFixed(one))
      case 'CallExpression':
        return this.#isPathFunction(node) && node.arguments.every((one) => this.#isFixed(one))
      default:
        return false
    }
  }

  #isPathFunction(call: CallExpression): boolean {
    const root = rootOf(call.callee)
    if (root === undefined) return false
    const from = this.#imports.get(root)?.from.replace(/^node:/, '')
    return (
      from === 'path' || from === 'url' || (root === 'process' && propertyOf(bare(call.callee)) === 'cwd')
    )
  }

  #isImport(local: string, modules: readonly string[], ...names: readonly string[]): boolean {
    const imported = this.#imports.get(local)
    if (imported === undefined) return false
    return modules.includes(imported.from.replace(/^node:/, '')) && names.includes(imported.name)
  }
}

/** A name that stands for itself, not for the value it is bound to. */
const isOnlyName = (node: Node, parent: Node): boolean =>
  parent.type === 'ImportSpecifier' ||
  (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) ||
  (parent.type === 'Property' && parent.key === node && !parent.shorthand)

/** The part of a fixed path that a reader recognises. */
function lastText(path: Node): string | undefined {
  const node = bare(path)
  if (node.type === 'NewExpression')
    return node.arguments[0] === undefined ? undefined : lastText(node.arguments[0])
  if (node.type === 'CallExpression') {
    const last = node.arguments.findLast((one) => textOf(one) !== undefined)
    return last === undefined ? undefined : textOf(last)
  }
  return textOf(node)
}
