import type { CallExpression, Node, Program } from 'oxc-parser'
import { type Edit, insertion } from './edits.ts'
import {
  bare,
  exportedNames,
  type ImportedName,
  importedNames,
  initialisers,
  keyOf,
  opensScope,
  type Parser,
  propertyOf,
  rootOf,
  walk,
} from './syntax.ts'

/**
 * Definitions of tasks and workflows in a module: where they stand, and the edits that let the bundler drop those
 * that an export does not reach, and that take out options which do not count.
 */
export interface Definitions {
  readonly edits: readonly Edit[]
  /** top-level statements in which tasks are, or may be, defined */
  readonly places: readonly DefinitionPlace[]
  /** functions that define tasks are called from elsewhere: where the callees of such definitions stand */
  readonly inner: readonly Range[]
  /** is this the whole of a definition that nothing else depends on? */
  readonly isDefinition: (value: Node) => boolean
}

export interface Range {
  readonly start: number
  readonly end: number
}

export interface DefinitionPlace extends Range {
  /** name of the export; undefined where it is none */
  readonly exported: string | undefined
}

/** Options that decide what a task's function gets, and what is kept of its result. All others are taken out. */
const countedOptions: readonly string[] = ['input', 'output']

type Kind = 'task' | 'workflow' | 'other'

export function definitionsOf(parser: Parser, program: Program): Definitions {
  const scan = new Scan(parser, program)
  for (const statement of program.body) scan.statement(statement)
  return scan
}

class Scan implements Definitions {
  readonly edits: Edit[] = []
  readonly places: DefinitionPlace[] = []
  readonly inner: Range[] = []
  readonly isDefinition = (value: Node): boolean => this.#pure.has(value)
  readonly #pure = new Set<Node>()
  readonly #parser: Parser
  readonly #imports: ReadonlyMap<string, ImportedName>
  readonly #exports: ReadonlyMap<string, string>
  /** names of this module that are definitions themselves: `const big = qc.options(…)` makes another one */
  readonly #defined = new Map<string, Kind>()
  /** names that may be functions which define tasks */
  readonly #makers: ReadonlySet<string>

  constructor(parser: Parser, program: Program) {
    this.#parser = parser
    this.#imports = importedNames(program)
    this.#exports = exportedNames(program)
    this.#makers = makersOf(program, this.#imports)
  }

  statement(statement: Program['body'][number]): void {
    const parts = initialisers(statement)
    if (parts.length === 0) {
      const found = this.#scan(statement, false)
      if (found.task) this.places.push({ start: statement.start, end: statement.end, exported: undefined })
      return
    }
    for (const { node, name, value } of parts) {
      const found = this.#scan(value, true)
      const exported = name === undefined ? exportOf(node) : this.#exports.get(name)
      if (name !== undefined && found.kind !== undefined) this.#defined.set(name, found.kind)
      if (found.task || (found.maker && exported !== undefined)) {
        this.places.push({ start: node.start, end: node.end, exported })
      }
    }
  }

  /** Looks at all calls below a node; `bound`: their value is given a name, so they may be dropped with it. */
  #scan(node: Node, bound: boolean): { task: boolean; maker: boolean; kind: Kind | undefined } {
    const found: { task: boolean; maker: boolean; kind: Kind | undefined } = {
      task: false,
      maker: false,
      kind: undefined,
    }
    let depth = 0
    let outermost: CallExpression | undefined
    let awaited = false
    const enter = (one: Node): void => {
      if (opensScope(one)) depth++
      if (one.type === 'AwaitExpression' && depth === 0) awaited = true
      if (one.type !== 'CallExpression') return
      const kind = this.#kindOf(one)
      if (depth > 0) {
        if (kind === 'task' && this.#isDirect(one))
          this.inner.push({ start: one.callee.start, end: one.callee.end })
        return
      }
      if (kind === undefined) {
        const root = rootOf(one)
        found.maker ||= root !== undefined && this.#makers.has(root)
        return
      }
      found.task ||= kind === 'task'
      if (bare(node) === one) found.kind = kind
      if (kind !== 'other') this.#takeOutOptions(one)
      if (outermost === undefined) {
        outermost = one
        awaited = false
      }
    }
    const leave = (one: Node): void => {
      if (opensScope(one)) depth--
      if (one !== outermost) return
      if (bound && !awaited) this.#markPure(one)
      outermost = undefined
    }
    walk(this.#parser, node, enter, leave)
    return found
  }

  /** Of calls of Almanac's functions, of methods of what they give, and of variants of definitions. */
  #kindOf(call: CallExpression): Kind | undefined {
    const root = rootOf(call.callee)
    if (root === undefined) return undefined
    if (propertyOf(bare(call.callee)) === 'options') {
      const defined = this.#defined.get(root)
      if (defined !== undefined) return defined
    }
    const imported = this.#imports.get(root)
    if (imported === undefined || imported.from !== 'almanac') return undefined
    const name = imported.name === '*' ? firstProperty(call) : imported.name
    return name === 'task' || name === 'workflow' ? name : 'other'
  }

  /** `task(…)` itself, not `task(…).options(…)`. */
  #isDirect(call: CallExpression): boolean {
    const callee = bare(call.callee)
    return (
      callee.type === 'Identifier' ||
      (callee.type === 'MemberExpression' && bare(callee.object).type === 'Identifier')
    )
  }

  /** In a function of its own nothing of the definition is evaluated where it is not used, arguments included. */
  #markPure(call: CallExpression): void {
    const { start, end } = call
    this.#pure.add(call)
    this.edits.push(insertion(start, '/* @__PURE__ */ (()=>('), insertion(end, '))()'))
  }

  #takeOutOptions(call: CallExpression): void {
    const { arguments: given } = call
    const at = optionsIndex(call)
    const options = at === undefined ? undefined : given[at]
    if (at === undefined || options === undefined || given.some((one) => one.type === 'SpreadElement')) return
    const literal = bare(options)
    if (literal.type !== 'ObjectExpression') return
    const { properties } = literal
    const dropped = properties.filter((one) => {
      const key = keyOf(one)
      return key !== undefined && !countedOptions.includes(key)
    })
    const before = given[at - 1]
    if (dropped.length === properties.length && before !== undefined) {
      this.edits.push({ start: before.end, end: options.end, text: '' })
      return
    }
    for (const [i, one] of properties.entries()) {
      if (!dropped.includes(one)) continue
      const end = properties[i + 1]?.start ?? literal.end - 1
      this.edits.push({ start: one.start, end, text: '' })
    }
  }
}

const exportOf = (node: Node): string | undefined =>
  node.type === 'ExportDefaultDeclaration' ? 'default' : undefined

/** `task` of `almanac.task(…)` and of `almanac.task(…).options(…)`. */
function firstProperty(call: CallExpression): string | undefined {
  let property: string | undefined
  for (let at: Node = bare(call.callee); ; ) {
    if (at.type === 'MemberExpression') {
      property = propertyOf(at)
      at = bare(at.object)
    } else if (at.type === 'CallExpression') at = bare(at.callee)
    else return property
  }
}

/** Which argument of `task(name, fn, options)`, `workflow(name, options, fn)` or `defined.options(…)` holds options. */
function optionsIndex(call: CallExpression): number | undefined {
  const { arguments: given } = call
  const callee = bare(call.callee)
  if (propertyOf(callee) === 'options') return 0
  const name = callee.type === 'Identifier' ? callee.name : propertyOf(callee)
  if (name === undefined || given.length < 2) return undefined
  const [, second, third] = given
  const isFunction = (node: Node | undefined): boolean => node !== undefined && opensScope(bare(node))
  if (second !== undefined && (bare(second).type === 'ObjectExpression' || isFunction(third))) return 1
  return third === undefined ? undefined : 2
}

/** Names from the author's own modules, and functions of this one. Packages' functions define no tasks here. */
function makersOf(program: Program, imports: ReadonlyMap<string, ImportedName>): ReadonlySet<string> {
  const makers = new Set<string>()
  for (const [name, { from }] of imports) if (/^[.#/]/.test(from)) makers.add(name)
  for (const statement of program.body) {
    const declared =
      statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
        ? statement.declaration
        : statement
    if (declared?.type === 'FunctionDeclaration' && declared.id !== null) makers.add(declared.id.name)
    for (const { name, value } of initialisers(statement)) {
      if (name !== undefined && opensScope(bare(value))) makers.add(name)
    }
  }
  return makers
}
